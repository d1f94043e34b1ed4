# SPDX-License-Identifier: GPL-2.0-only
"""Addresses, and what the user's ssh_config adds to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.hosts.address import Address, completed, parse_address


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("ssh://user@lab:22", Address("user", "lab", 22), "user@lab:22"),
        ("ssh://root@10.0.0.1:2222", Address("root", "10.0.0.1", 2222), "root@10.0.0.1:2222"),
        ("ssh://lab", Address("", "lab"), "lab:22"),
        ("ssh://Lab.Example/", Address("", "Lab.Example"), "Lab.Example:22"),
        ("ssh://root@[::1]:2022", Address("root", "::1", 2022), "root@[::1]:2022"),
    ],
)
def test_an_address_is_user_host_and_port(text: str, address: Address, name: str) -> None:
    assert parse_address(text) == address
    assert parse_address(text).name == name
    assert parse_address(address.url) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "lab", "root@lab", "http://lab", "ssh://", "ssh://root@", "ssh://lab:0", "ssh:lab"),
        *(
            "ssh://lab:99999",
            "ssh://lab:x",
            "ssh://root:secret@lab",
            "ssh://lab/tmp",
            "ssh://lab?a",
        ),
        *("ssh://-oProxyCommand=x", "ssh://-l@lab", "ssh://a b", "ssh://lab\n", "ssh://la$b"),
        *("ssh://r;t@lab", "ssh://\x1b[31m@lab", "ssh://[::1"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "\x1b" not in caught.value.message


_CONFIG = """
Host lab
    HostName lab.example
    User tester
    Port 2200
    IdentityFile ~/keys/lab
    HostKeyAlias lab-one
    IdentitiesOnly yes
Host jumping
    ProxyJump gate
Host tunnelled
    ProxyCommand nc %h %p
Host none
    ProxyCommand none
"""


def test_ssh_config_completes_an_address(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(_CONFIG)
    found = completed(Address("", "lab"), config)
    assert (found.user, found.host, found.port) == ("tester", "lab.example", 2200)
    assert (found.known_as, found.only) == ("lab-one", True)
    assert found.identities == (Path("~/keys/lab").expanduser(),)
    assert completed(Address("me", "lab", 22), config).name == "me@lab.example:22"
    assert completed(Address("me", "none"), config).host == "none"


@pytest.mark.parametrize(("host", "word"), [("jumping", "jump"), ("tunnelled", "command")])
def test_a_proxy_is_refused_with_a_way_round(tmp_path: Path, host: str, word: str) -> None:
    config = tmp_path / "config"
    config.write_text(_CONFIG)
    with pytest.raises(UsageError, match=f"proxy{word}") as caught:
        completed(Address("", host), config)
    assert f"ssh -N -L 2222:{host}:22" in caught.value.hint


def test_an_explicit_key_leaves_the_configuration_alone(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(_CONFIG)
    address = Address("root", "jumping", 22, key_file=tmp_path / "key")
    assert completed(address, config) == address


def test_the_name_in_known_hosts_has_the_port_where_it_is_not_the_usual() -> None:
    assert Address("", "lab", 22).known_as == "lab"
    assert Address("", "lab", 2222).known_as == "[lab]:2222"

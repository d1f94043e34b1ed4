# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures: one sshd for a whole module, and a connection to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kzc.hosts.ssh import SshHost, connect

from .machine import SSHD, Machine, alive, sshd, within


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if not SSHD:
        pytest.skip("no sshd here (Debian: openssh-server)")
    with sshd(tmp_path_factory.mktemp("machine")) as running:
        yield running


@pytest.fixture(scope="module")
def host(machine: Machine) -> Iterator[SshHost]:
    with connect(machine.address, home=machine.home) as connected:
        yield connected


@pytest.fixture
def marker() -> Iterator[str]:
    name = f"kzc-{uuid.uuid4()}"
    yield name
    assert within(30, lambda: not alive(name)), alive(name)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"

# SPDX-License-Identifier: GPL-2.0-only
"""suite.toml: those of the project, and what bad ones get."""

import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from kzc.errors import UsageError
from kzc.suites.manifest import Suite, load_suite

ROOT = Path(__file__).parents[3]
SUITES = sorted(path.parent for path in (ROOT / "selftests").glob("*/suite.toml"))

GOOD = """\
name = "x"
title = "t"
guest = "mini"

[[build]]
folder = "tools/testing/x"
make = ["x"]
outputs = ["x"]

[[commands]]
name = "x"
run = "./x"
parser = "exit"
needs = "x"
"""


def load(tmp_path: Path, text: str) -> Suite:
    folder = tmp_path / "selftests" / "x"
    folder.mkdir(parents=True)
    (folder / "suite.toml").write_text(text)
    return load_suite(folder)


PAIR = """
[[pairs]]
name = "p"
server = "./x"
client = "./x"
parser = "exit"
"""


@pytest.mark.parametrize("folder", SUITES, ids=lambda path: path.name)
def test_suites_of_the_project(folder: Path) -> None:
    suite = load_suite(folder)
    assert all((ROOT / "kconfigs" / name).is_file() for name in suite.fragments)
    for command in suite.commands:
        for text in (command.run, command.list_tests):
            subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    for pair in suite.pairs:
        for text in (pair.server, pair.client, pair.list_tests, pair.help_text):
            subprocess.run(["sh", "-n"], input=text, text=True, check=True)


def test_there_are_suites() -> None:
    ours = {"zc_lifetime", "zc_notify", "zc_fuzz", "txzc-eval"}
    assert {folder.name for folder in SUITES} >= {"vsock", "msg_zerocopy"} | ours


def test_the_modes_come_out_of_the_trees_script(tmp_path: Path) -> None:
    suite = load_suite(ROOT / "selftests" / "msg_zerocopy")
    script = tmp_path / "msg_zerocopy.sh"
    script.write_text(
        "# a tx-only option\ndo_test() {\n}\n"
        'do_test "${EXTRA_ARGS}"\ndo_test "-z ${EXTRA_ARGS}"\necho ok\n'
    )
    listing = suite.commands[0].list_tests
    done = subprocess.run(["sh", "-c", listing], cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout.decode().split() == [
        "tcp/ipv4/copy",
        "tcp/ipv4/zerocopy",
        "tcp/ipv6/copy",
        "tcp/ipv6/zerocopy",
    ]
    script.write_text(script.read_text() + 'do_test "-Z ${EXTRA_ARGS}"\n')
    done = subprocess.run(["sh", "-c", listing], cwd=tmp_path, check=True, capture_output=True)
    assert b"tcp/ipv6/sendmsg-notification" in done.stdout
    udp = subprocess.run(
        ["sh", "-c", suite.commands[1].list_tests], cwd=tmp_path, check=True, capture_output=True
    )
    assert b"tx-only" not in udp.stdout  # a word in a comment


def test_newer_scripts_send_to_nobody_too_but_not_over_tcp(tmp_path: Path) -> None:
    suite = load_suite(ROOT / "selftests" / "msg_zerocopy")
    script = tmp_path / "msg_zerocopy.sh"
    script.write_text('do_test() {\n$DADDR_TXONLY\n}\ndo_test "${EXTRA_ARGS}"\ndo_test "-n ${A}"\n')
    for command in suite.commands[:2]:
        listing = ["sh", "-c", command.list_tests]
        done = subprocess.run(listing, cwd=tmp_path, check=True, capture_output=True)
        only = ["-tx-only"] if command.name == "udp" else []
        assert done.stdout.decode().split() == [
            f"{command.name}/ipv{ip}/{mode}{end}"
            for ip in (4, 6)
            for mode in ("copy", "sendmsg-notification")
            for end in ("", *only)
        ]


def test_defaults_and_memory(tmp_path: Path) -> None:
    suite = load(tmp_path, GOOD)
    assert (suite.cpus, suite.memory_mib, suite.silence, suite.total) == (1, 512, 60, 300)
    assert suite.commands[0].timeout is None
    assert suite.model_copy(update={"memory": "2G"}).memory_mib == 2048


def test_a_suite_is_run_once_for_each_boot(tmp_path: Path) -> None:
    boots = 'append = ["x.y=1"]\n\n[again]\noff = ["x.y=0"]\n\n[[build]]'
    found = load(tmp_path, GOOD.replace("[[build]]", boots, 1))
    assert [(each.name, each.append) for each in found.boots] == [
        ("x", ("x.y=1",)),
        ("x off", ("x.y=0",)),
    ]
    assert [len(each.boots) for each in found.boots] == [2, 1]


def test_the_prelude_stands_before_every_command(tmp_path: Path) -> None:
    text = GOOD.replace('guest = "mini"', 'guest = "mini"\nprelude = "f() { :; }"')
    command = load(tmp_path, text.replace("needs", 'list = "f"\nneeds')).commands[0]
    assert command.run == "f() { :; }\n./x"
    assert command.list_tests == "f() { :; }\nf"


def test_without_a_list_there_is_none_to_run(tmp_path: Path) -> None:
    text = GOOD.replace('guest = "mini"', 'guest = "mini"\nprelude = "f() { :; }"')
    assert load(tmp_path, text).commands[0].list_tests == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"mini"', '"mini"\nlevels = 2', "levels: a host of guests is a vng guest with 2 cpus"),
        ('"mini"', '"mini"\nappend = ["a b"]', "append.0"),
        ('guest = "mini"', 'guest = "maxi"', "guest: "),
        ('guest = "mini"', 'guest = "mini"\nmemroy = "1G"', "memroy: Extra inputs"),
        ('guest = "mini"', 'guest = "mini"\nmemory = "1 G"', "memory: "),
        ('guest = "mini"', 'guest = "mini"\ncpus = 0', "cpus: "),
        ('guest = "mini"', 'guest = "mini"\nfragments = ["../x"]', "fragments.0: "),
        ('guest = "mini"', 'guest = "mini"\nsysctls = {"a.b" = "1\' ; x"}', "sysctls.a.b"),
        ('guest = "mini"', 'guest = "mini"\nsysctls = {"a/../b" = 1}', "sysctls.a/../b"),
        ('title = "t"\n', "", "title: Field required"),
        ('needs = "x"', "timeout = -1", "commands.0.timeout: Input should be greater than 0"),
        ('needs = "x"', 'needs = "y"', "command x: no build makes 'y'"),
        ('parser = "exit"', 'parser = "exist"', "commands.0.parser: there is no parser 'exist'"),
        ('needs = "x"', 'list = "a"\nplanned = ["b"]', "either `list` or `planned`"),
        ('folder = "tools/testing/x"', 'folder = "../x"', "build.0.folder: "),
        ('outputs = ["x"]', 'outputs = ["/x"]', "build.0.outputs.0: "),
        ('outputs = ["x"]', 'outputs = ["x"]\ncopy = ["y/x"]', "build: x is there more than once"),
        ('needs = "x"', '[[commands]]\nname = "x"\nrun = "y"\nparser = "exit"', "commands: x is"),
        ('name = "x"\ntitle', 'name = "y"\ntitle', "name: 'y' is not the folder's name 'x'"),
        ('guest = "mini"', "guest = ", "Invalid value (at line 3"),
    ],
)
def test_messages_name_file_and_field(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert error.value.message.startswith("selftests/x/suite.toml: ")
    assert words in error.value.message


PROGRAM = GOOD[: GOOD.index("[[build]]")] + (
    '[[programs]]\nname = "x"\nsources = ["x.c", "ktap.c"]\n\n' + GOOD[GOOD.index("[[commands]]") :]
)


def load_program(tmp_path: Path, text: str = PROGRAM) -> Suite:
    folder = tmp_path / "selftests" / "x"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "x.c").write_text("int main(void) { return 0; }\n")
    (folder / "x.h").write_text("/* nothing */\n")
    (folder / "suite.toml").write_text(text)
    return load_suite(folder)


def test_a_program_comes_with_the_text_of_its_sources_and_of_all_headers(tmp_path: Path) -> None:
    sources = load_program(tmp_path).programs[0].sources
    assert [name for name in sources if name.endswith(".c")] == ["ktap.c", "x.c"]
    assert sources["x.c"] == "int main(void) { return 0; }\n"
    assert {"x.h", "ktap.h", "zc.h"} <= set(sources)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('["x.c", "ktap.c"]', '["y.c"]', "sources: there is no y.c beside suite.toml or in lib/"),
        ('["x.c", "ktap.c"]', '["../x/x.c"]', "sources: '../x/x.c' is no C file beside"),
        ('["x.c", "ktap.c"]', '["x.h"]', "sources: 'x.h' is no C file beside"),
        ('["x.c", "ktap.c"]', "[]", "sources: "),
        ('["x.c", "ktap.c"]', '"x.c"', "sources: should be a list of C files"),
        ('["x.c", "ktap.c"]', "[1]", "sources: should be a list of C files"),
        ('["x.c", "ktap.c"]', '{"x.c" = "int x;"}', "sources: should be a list of C files"),
        ('needs = "x"', 'needs = "y"', "command x: no build makes 'y'"),
    ],
)
def test_messages_of_programs(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in PROGRAM
    with pytest.raises(UsageError) as error:
        load_program(tmp_path, PROGRAM.replace(old, new, 1))
    assert words in error.value.message


def test_topologies(tmp_path: Path) -> None:
    only = GOOD[: GOOD.index("[[commands]]")] + PAIR
    assert load(tmp_path / "a", GOOD).topologies == ("loopback",)
    assert load(tmp_path / "b", GOOD + PAIR).topologies == ("loopback", "pair", "nested")
    assert load(tmp_path / "c", only).topologies == ("pair", "nested")


def test_a_pair_comes_complete(tmp_path: Path) -> None:
    text = GOOD.replace('guest = "mini"', 'guest = "mini"\nprelude = "f() { :; }"')
    pair = load(tmp_path, text + PAIR + 'help = "h"\n').pairs[0]
    assert (pair.server, pair.client) == ("f() { :; }\n./x",) * 2
    assert (pair.help_text, pair.list_tests) == ("f() { :; }\nh", "")
    assert pair.ready == "tcp"
    assert [direction.value for direction in pair.directions] == ["H2G", "G2H"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "p"', 'name = "p q"', "pairs.0.name: "),
        ('server = "./x"\n', "", "pairs.0.server: Field required"),
        ('client = "./x"', 'client = ""', "pairs.0.client: "),
        ('parser = "exit"', 'parser = "exist"', "pairs.0.parser: there is no parser 'exist'"),
        ('parser = "exit"', 'parser = "exit"\nready = "udp"', "pairs.0.ready: "),
        ('parser = "exit"', 'parser = "exit"\ndirections = ["X"]', "pairs.0.directions.0: "),
        ('parser = "exit"', 'parser = "exit"\ndirections = []', "pairs.0.directions: "),
        ('parser = "exit"', 'parser = "exit"\nrun = "x"', "pairs.0.run: Extra inputs"),
        ('parser = "exit"', 'parser = "exit"\nneeds = "y"', "pair p: no build makes 'y'"),
        ('parser = "exit"', f'parser = "exit"\n{PAIR}', "pairs: p is there more than once"),
    ],
)
def test_messages_of_pairs(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in PAIR
    with pytest.raises(UsageError) as error:
        load(tmp_path, GOOD + PAIR.replace(old, new, 1))
    assert error.value.message.startswith("selftests/x/suite.toml: ")
    assert words in error.value.message


def test_a_suite_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="commands: there are none, and no pairs either"):
        load(tmp_path, GOOD[: GOOD.index("[[commands]]")])


def test_no_such_suite(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no .*nothing/suite\.toml"):
        load_suite(tmp_path / "nothing")


def test_the_file_is_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "suite.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(UsageError):
        load_suite(folder)


def test_faults_of_kernels_are_known_where_commands_meet_them() -> None:
    pair = {"name": "p", "server": "./s", "client": "./c", "parser": "exit"}
    known = {"name": "k", "kind": "warning", "pattern": "x", "why": "w", "mended_by": "m"}
    values = {"name": "s", "title": "t", "guest": "mini", "pairs": [pair]}
    assert not Suite.model_validate(values).known
    with pytest.raises(ValidationError, match="known: it is of commands, and there are none"):
        Suite.model_validate({**values, "known": [known]})

# SPDX-License-Identifier: GPL-2.0-only
"""Holds the house: who may import whom, who may start or end a process, how big things may get.

The rules read source text by `ast`, so nothing is imported and a broken module cannot hide. Each
rule is a function from a tree to complaints, and is shown a tree that breaks it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MAX_FILE, MAX_FUNCTION = 350, 60

GROUND = frozenset({"values", "errors"})
HALL = GROUND | {"proc", "git", "hosts", "inuse", "settings", "shared"}
FLOOR = frozenset({"series", "trees", "kernel", "guest", "suites", "results", "seeds"})
# each room and the rooms it may import (itself always); a room that is not here may not exist
MAY_IMPORT = {
    "__init__": frozenset[str](),
    "values": frozenset[str](),
    "errors": frozenset[str](),
    "guard": frozenset[str](),
    "proc": frozenset({"errors"}),
    "settings": GROUND | {"shared"},
    "shared": frozenset({"errors"}),
    "git": GROUND | {"proc"},
    "inuse": frozenset[str](),
    "hosts": GROUND | {"guard", "proc", "settings"},
    **dict.fromkeys((*FLOOR, "bench"), HALL),
    "jobs": HALL | FLOOR | {"bench"},
    "cli": HALL | FLOOR | {"bench", "jobs"},
    "__main__": HALL | FLOOR | {"bench", "jobs", "cli"},
}
STARTERS = {"proc", "guard"}
ENDERS = {"__main__.py", "guard.py"}
_START_MODULES = {"subprocess", "multiprocessing", "pty", "pexpect", "sh", "plumbum"}
_START_CALLS = ("fork", "exec", "spawn", "posix_spawn", "popen", "system")
_START_NAMES = {"ProcessPoolExecutor", "create_subprocess_exec", "create_subprocess_shell"}

Rule = Callable[[Path], list[str]]


def modules(root: Path) -> Iterator[tuple[Path, str, ast.Module]]:
    """Every module below `root` (the package's folder) with the room it belongs to."""
    for path in sorted(root.rglob("*.py")):
        inside = path.relative_to(root)
        room = inside.parts[0].removesuffix(".py")
        yield path, room, _parsed(path.read_text(), str(path))


@cache
def _parsed(text: str, name: str) -> ast.Module:
    """A file's syntax, which all rules share."""
    return ast.parse(text, name)


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All of a file's syntax: four rules walk over it."""
    return tuple(ast.walk(tree))


def rooms_imported(tree: ast.Module, inside: Path) -> Iterator[tuple[int, str]]:
    """Line and room of every import of the package, wherever it stands; relative ones resolved."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ("kzc", *inside.parent.parts)[: len(inside.parts) + 1 - node.level]
            origin = [*above] if node.level else []
            origin += node.module.split(".") if node.module else []
            names = [".".join((*origin, alias.name)) for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "kzc" and rest:
                yield node.lineno, rest.split(".")[0]


def imports(root: Path) -> list[str]:
    found = []
    for path, room, tree in modules(root):
        if room not in MAY_IMPORT:
            found.append(f"{path}: the room {room} is on no floor")
            continue
        for line, other in rooms_imported(tree, path.relative_to(root)):
            # anything else is a name of the package itself, such as __version__
            if other != room and other in MAY_IMPORT and other not in MAY_IMPORT[room]:
                found.append(f"{path}:{line}: {room} may not import {other}")
            if other not in MAY_IMPORT and (root / other).exists():
                found.append(f"{path}:{line}: the room {other} is on no floor")
    return found


def starts(root: Path) -> list[str]:
    return [
        f"{path}:{line}: only kzc/proc.py starts processes: {what}"
        for path, room, tree in modules(root)
        if room not in STARTERS
        for line, what in _starting(tree)
    ]


def _starting(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in _START_MODULES:
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module.split(".")[0] in _START_MODULES:
                yield node.lineno, node.module
            for alias in node.names:
                starts_one = node.module == "os" and alias.name.startswith(_START_CALLS)
                if starts_one or alias.name in _START_NAMES:
                    yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Attribute):
            of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            if (of_os and node.attr.startswith(_START_CALLS)) or node.attr in _START_NAMES:
                yield node.lineno, node.attr


def ends(root: Path) -> list[str]:
    return [
        f"{path}:{line}: only kzc/__main__.py ends the process: {what}"
        for path, _, tree in modules(root)
        if path.relative_to(root).as_posix() not in ENDERS
        for line, what in _ending(tree)
    ]


def _ending(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in nodes(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in {("sys", "exit"), ("os", "_exit"), ("os", "abort")}:
                yield node.lineno, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in {"sys", "os"}:
            for alias in node.names:
                if alias.name in {"exit", "_exit", "abort"}:
                    yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name) and raised.id == "SystemExit":
                yield node.lineno, "raise SystemExit"
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"exit", "quit"}:
            yield node.lineno, ast.unparse(node.func)


def openings(root: Path) -> list[str]:
    found = []
    for path, _, tree in modules(root):
        lines = path.read_text().splitlines()
        if lines and lines[0].startswith("#!"):
            del lines[0]
        if not lines or lines[0] != "# SPDX-License-Identifier: GPL-2.0-only":
            found.append(f"{path}: does not open with the SPDX line")
        if path.name != "__init__.py" and not ast.get_docstring(tree):
            found.append(f"{path}: does not say what it owns")
    return found


def sizes(root: Path) -> list[str]:
    found = []
    for path, _, tree in modules(root):
        count = len(path.read_text().splitlines())
        if count > MAX_FILE:
            found.append(f"{path}: {count} lines")
        for node in nodes(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION:
                    found.append(f"{path}:{node.lineno}: {node.name} has {length} lines")
    return found


@pytest.mark.parametrize("rule", [imports, starts, ends, openings, sizes])
def test_the_house_stands(rule: Rule) -> None:
    assert rule(REPOSITORY / "kzc") == []


@pytest.mark.parametrize("folder", ["tests", "bench"])
def test_every_other_file_has_its_licence_too(folder: str) -> None:
    assert openings(REPOSITORY / folder) == []


def test_every_room_was_looked_at() -> None:
    seen = {room for _, room, _ in modules(REPOSITORY / "kzc")}
    assert FLOOR | HALL | {"guard", "jobs", "cli"} <= seen


_HEAD = '# SPDX-License-Identifier: GPL-2.0-only\n"""A module."""\n'


@pytest.mark.parametrize(
    ("rule", "file", "text", "complaint"),
    [
        (imports, "trees/a.py", "from kzc.kernel import make", "trees may not import kernel"),
        (imports, "trees/a.py", "from kzc import kernel", "trees may not import kernel"),
        (imports, "trees/a.py", "import kzc.kernel.make", "trees may not import kernel"),
        (imports, "trees/a.py", "from ..kernel import make", "trees may not import kernel"),
        (imports, "trees/a.py", "from .. import kernel", "trees may not import kernel"),
        (imports, "trees/a/b.py", "from ...kernel import x", "trees may not import kernel"),
        (imports, "trees/a.py", "def f():\n    import kzc.jobs", "trees may not import jobs"),
        (imports, "jobs/a.py", "import kzc.cli.run", "jobs may not import cli"),
        (imports, "values.py", "import kzc.errors", "values may not import errors"),
        (imports, "errors.py", "from kzc.values import Run", "errors may not import values"),
        (imports, "proc.py", "from kzc.values import Run", "proc may not import values"),
        (imports, "proc.py", "from kzc.settings import x", "proc may not import settings"),
        (imports, "settings.py", "from kzc.proc import x", "settings may not import proc"),
        (imports, "guard.py", "from kzc.errors import x", "guard may not import errors"),
        (imports, "attic/a.py", "", "attic is on no floor"),
        (starts, "trees/a.py", "import subprocess", "subprocess"),
        (starts, "trees/a.py", "from subprocess import run", "subprocess"),
        (starts, "trees/a.py", "def f():\n    import multiprocessing.pool", "multiprocessing"),
        (starts, "trees/a.py", "import os\nos.fork()", "fork"),
        (starts, "trees/a.py", "import os\nos.execvp('a', [])", "execvp"),
        (starts, "trees/a.py", "import os\nos.posix_spawn('a', [], {})", "posix_spawn"),
        (starts, "trees/a.py", "import os\nos.system('a')", "system"),
        (starts, "trees/a.py", "from os import popen", "os.popen"),
        (starts, "cli/a.py", "import pty", "pty"),
        (starts, "cli/a.py", "from concurrent.futures import ProcessPoolExecutor", "Pool"),
        (starts, "__main__.py", "import subprocess", "subprocess"),
        (ends, "cli/a.py", "import sys\nsys.exit(1)", "sys.exit"),
        (ends, "cli/a.py", "from sys import exit", "sys.exit"),
        (ends, "cli/a.py", "import os\nos._exit(1)", "os._exit"),
        (ends, "cli/a.py", "raise SystemExit(3)", "raise SystemExit"),
        (ends, "cli/a.py", "raise SystemExit", "raise SystemExit"),
        (ends, "proc.py", "exit(3)", "exit"),
        (ends, "hosts/ssh.py", "raise SystemExit(3)", "raise SystemExit"),
        (imports, "hosts/ssh.py", "from kzc.guest import argv", "hosts may not import guest"),
        (imports, "hosts/ssh.py", "from kzc.git import x", "hosts may not import git"),
        (sizes, "cli/a.py", "\n" * MAX_FILE, f"{MAX_FILE + 2} lines"),
        (sizes, "cli/a.py", "def f():\n" + "    pass\n" * MAX_FUNCTION, "f has 61 lines"),
        (sizes, "cli/a.py", "async def f():\n" + "    pass\n" * MAX_FUNCTION, "f has 61 lines"),
    ],
)
def test_a_rule_sees_what_breaks_it(
    tmp_path: Path, rule: Rule, file: str, text: str, complaint: str
) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HEAD + text)
    found = rule(tmp_path)
    assert len(found) == 1, found
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('"""A module."""\n', "SPDX"),
        ("# SPDX-License-Identifier: MIT\n" + '"""A module."""\n', "SPDX"),
        ("", "SPDX"),
        ("# SPDX-License-Identifier: GPL-2.0-only\nx = 1\n", "does not say"),
    ],
)
def test_an_opening_that_says_nothing_is_seen(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "a.py").write_text(text)
    assert any(complaint in line for line in openings(tmp_path))


def test_what_is_allowed_is_left_alone(tmp_path: Path) -> None:
    allowed = {
        "git.py": "from kzc.proc import Runner\nfrom kzc.errors import HostError",
        "trees/a.py": "import os\nfrom kzc.git import x\nfrom . import b\nos.environ, os.path",
        "trees/b.py": "from kzc.trees.a import x\nfrom kzc import __version__\nimport kzcx.cli",
        "jobs/a.py": "from kzc.trees import a\nfrom kzc.guest import b\n'subprocess'  # sys.exit",
        "cli/a.py": "from kzc.jobs import a\nraise ValueError",
        "guard.py": "import os\nos.fork()\nraise SystemExit(1)",
        "hosts/keeper.py": "from kzc import guard\nguard.forked",
        "guest/a.py": "from kzc.hosts.host import Host",
        "proc.py": "import subprocess\nfrom kzc.errors import x",
        "__main__.py": "import sys\nfrom kzc.cli import app\nsys.exit(1)",
        "__init__.py": "__version__ = '1'",
    }
    for file, text in allowed.items():
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(_HEAD + text)
    for rule in (imports, starts, ends, openings, sizes):
        assert rule(tmp_path) == []

# SPDX-License-Identifier: GPL-2.0-only
"""KTAP 1 and 2, TAP 13 and 14, as the kernel's tests really print them.

Results are nested by what stands in front of them: blanks, tabs, or `# ` as the kselftest runner
puts before each line of a test. Results of a deeper level belong to the next result of a lower
one. Numbers are not trusted to be unique; plans may come first, last, twice or never.
Syntax: Documentation/dev-tools/ktap.rst; tools/testing/selftests: kselftest.h, runner.sh.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kzc.errors import describe_status
from kzc.suites.ktap_result import directives
from kzc.suites.ktap_tree import CUT, Leaf, Level, Node, Tree
from kzc.suites.lines import Names, uniques, whole, with_exit, with_planned
from kzc.values import Case, Verdict

_LINE = re.compile(
    r"((?:\#[ ]|[ \t])*+)"  # 1: what nests
    r"(?:(not[ ])?ok(?:[ \t]+(\d+)(?![^ \t]))?"  # 2, 3: a result and its number
    r"(?:[ \t]+(?:-(?:[ \t]+|$))?([^\#\[\\]+)$|((?:[ \t].*)?)$)"  # 4: just a name, or 5: more
    r"|1\.\.(\d+)[ \t]*(?:\#[ \t]*(.*))?$"  # 6, 7: a plan
    r"|(K?TAP[ ]version)\b"  # 8
    r"|Bail[ ]out!(.*)"  # 9
    r"|\#:(\w+):[ \t]*(.*)"  # 10, 11: metadata of KTAP 2
    r"|(?:Subtest|selftests):[ ](.+))",  # 12: a test begins
    re.VERBOSE,
)
_NAMED, _RESULT, _PLAN, _PLAN_WITH_TEXT, _HEADER, _BAIL, _META, _ANNOUNCED = (
    4,
    5,
    6,
    7,
    8,
    9,
    11,
    12,
)
_STAMP = re.compile(r"\[ *\d+\.\d+\](?:\[ *[A-Z]\d+\])? ?")
_GLUED = re.compile(r"\s*\[ *\d+\.\d{6}\].*$")
_KSFT_GOOD = {0, 2, 3, 4}  # pass, xfail, xpass, skip


def parse(
    lines: Iterable[str], *, status: int | None, planned: Sequence[str] = ()
) -> tuple[Case, ...]:
    """A case per result, named `outer/inner`, the outer one before its inner ones.

    Metadata lines (`#:ktap_speed: slow`) are in the detail under their keys, those of the whole
    document under `document`; `exit` and `time` of the kselftest runner are there too.
    """
    tree = Tree()
    _read(_bare(whole(lines, status)), tree)
    root = tree.finish(cut=status is None)
    cases: list[Case] = []
    if root:
        _emit(root.nodes, Names(), cases, {"document": root.about} if root.about else {})
        cases = _named(cases, root.silent, planned)
    ended = f"ended with {describe_status(status)}" if status not in _KSFT_GOOD and status else ""
    fault = CUT if status is None and not cases else ended
    crashed = status is None or status > 128 or status < 0
    done = with_planned(cases, planned)
    return with_exit(done, fault, Verdict.CRASH if crashed else Verdict.FAIL)


def _named(cases: list[Case], silent: Sequence[str], planned: Sequence[str]) -> list[Case]:
    """Cases that have but a number in the document's plan get their names in the list of those
    that have to appear: both are in order."""
    if not silent:
        return cases
    found = {case.name for case in cases}
    missing = [name for name in uniques(planned) if name not in found]
    if len(missing) != len(silent):
        return cases
    names = dict(zip(silent, missing, strict=True))
    return [replace(case, name=names.get(case.name, case.name)) for case in cases]


def _bare(lines: list[str]) -> list[str]:
    """The lines without the kernel's timestamps, if the document itself is in the kernel log."""
    first = next((line for line in lines if "TAP version" in line), "")
    if not _STAMP.match(first):
        return lines
    return [_STAMP.sub("", line, count=1) if line.startswith("[") else line for line in lines]


def _read(lines: Iterable[str], tree: Tree) -> None:
    match, levels = _LINE.match, tree.levels
    for line in lines:
        found = match(line)
        if found is None:
            continue
        kind = found.lastindex
        if kind == _NAMED and levels:
            prefix, bad, digits, name = found.group(1, 2, 3, 4)
            level = levels[-1]
            # most lines by far: told apart here for speed, the same as below in what comes of it
            if digits and not bad and level.width == len(prefix) and level.plain:
                level.numbers.append(int(digits))
                level.nodes.append(name.rstrip())
                continue
        if kind in {_NAMED, _RESULT}:
            _result(tree, found)
        else:
            _other(tree, found)


def _name(text: str) -> str:
    """A description without the ` - ` that TAP puts before it."""
    if text.startswith("- ") or text == "-":
        return text[1:].lstrip()
    return text


def _result(tree: Tree, found: re.Match[str]) -> None:
    prefix, bad, digits, name, more = found.group(1, 2, 3, 4, 5)
    # TAP lets numbers out; only what cannot be prose is taken for a result then
    if digits is None and ("#" in prefix or not (bad or found[0].startswith("ok - ", len(prefix)))):
        return
    said = directives(_GLUED.sub("", more if name is None else name), bad is not None)
    node = Node(_name(said.name) or digits or "unnamed", said.verdict)
    node.reason, node.seconds = said.reason, said.seconds
    node.note(dict(said.values))
    number = int(digits) if digits else tree.level(len(prefix)).following
    tree.result(len(prefix), node, number)


def _other(tree: Tree, found: re.Match[str]) -> None:
    kind, width = found.lastindex, len(found[1])
    if kind in {_PLAN, _PLAN_WITH_TEXT}:
        level = tree.level(width)
        level.planned(int(found[6]))
        if found[6] == "0" and found[7]:
            _skip_all(level, found[7])
    elif kind == _HEADER:
        tree.level(width).begin()
    elif kind == _BAIL:
        level = tree.level(width)
        level.bailed = True
        level.add(Node("Bail out!", Verdict.FAIL, found[9].strip()), 0)
    elif kind == _META:
        tree.level(width).about_to(found[10], found[11].strip())
    elif kind == _ANNOUNCED:
        selftest = "selftests:" in found[0]
        title = f"selftests: {found[12]}" if selftest else found[12]
        tree.level(width if selftest else max(width - 2, 0)).title = title.strip()


def _skip_all(level: Level, text: str) -> None:
    said = directives(f" # {text}", False)
    if said.verdict is Verdict.SKIP:
        level.reason = said.name or said.reason
        if not level.width:
            level.add(Node("all tests", Verdict.SKIP, level.reason), 0)


def _emit(
    nodes: Iterable[Node | Leaf], names: Names, cases: list[Case], common: Mapping[str, Any]
) -> None:
    unique, append, passed = names.unique, cases.append, Verdict.PASS
    open_ = [("", iter(nodes), common)]
    while open_:
        path, rest, common = open_[-1]
        for node in rest:
            if isinstance(node, str):
                append(Case(unique(path + node), passed, 0.0, "", common))
                continue
            name = unique(path + node.name)
            detail = {**common, **node.detail} if node.detail else common
            append(Case(name, node.verdict, node.seconds, node.reason, detail))
            if node.children:
                open_.append((f"{name}/", iter(node.children), {}))
                break
        else:
            open_.pop()

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
from typing import Any

from kzc.errors import describe_status
from kzc.suites.ktap_result import directives
from kzc.suites.lines import Names, whole, with_exit, with_planned
from kzc.values import Case, Verdict

_LINE = re.compile(
    r"((?:\# |[ \t])*+)"  # 1: what nests
    r"(?:(not )?ok(?:[ \t]+(\d+)(?![^ \t]))?"  # 2, 3: a result and its number
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
_CUT = "cut before its end"


_Leaf = str  # the name of a result that passed, with nothing else to say


class _Node:
    """A result with a directive, metadata, or others nested below it."""

    __slots__ = ("children", "detail", "name", "reason", "seconds", "verdict")

    def __init__(self, name: str, verdict: Verdict, reason: str = "") -> None:
        self.name = name
        self.verdict = verdict
        self.reason = reason
        self.seconds = 0.0
        self.detail: dict[str, Any] | None = None
        self.children: list[_Node | _Leaf] | None = None

    def note(self, values: dict[str, Any]) -> None:
        if values:
            self.detail = {**values, **(self.detail or {})}


class _Level:
    """Results with the same width of prefix, and the plans for them."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.nodes: list[_Node | _Leaf] = []
        self.numbers: list[int] = []
        self.plan: int | None = None
        self.again: int | None = None
        self.header = False
        self.plain = False  # the next result changes nothing but the results
        self.about: dict[str, Any] = {}
        self.pending: dict[str, Any] = {}
        self.title = ""
        self.reason = ""
        self.bailed = False

    def add(self, node: _Node, number: int) -> None:
        if self.again is not None:
            if number == 1:
                self.close(False)
                self.plan = self.again
            self.again = None
        if number:
            self.numbers.append(number)
        self.header = False
        if self.pending:
            node.note(self.pending)
            self.pending = {}
        self.nodes.append(node)
        self.plain = True

    def planned(self, count: int) -> None:
        """A plan; one after results of a planned document may open another document."""
        self.header = False
        if self.plan is not None and self.numbers:
            self.again = count
            self.plain = False
        else:
            self.plan = max(count, self.plan or 0)

    def begin(self) -> None:
        """A version line: what came before on this level was a document of its own."""
        if self.numbers or self.plan is not None:
            self.close(False)
        self.header = True
        self.plain = False

    def about_to(self, key: str, value: str) -> None:
        """Metadata: of the level's owner right after a version line, else of the next result."""
        if self.header and key in self.about:
            self.header = False
        (self.about if self.header else self.pending)[key] = value
        self.plain = False

    def close(self, cut: bool) -> None:
        """Add what the plan has and the results have not; the first of them was running."""
        plan = max(self.plan or 0, self.again or 0)
        count = plan - len(self.numbers)
        if count > 0:
            seen = set(self.numbers)
            free = [number for number in range(1, plan + 1) if number not in seen]
            for number in free[-count:] if len(free) > count else free:
                running = cut and not self.bailed
                verdict = Verdict.CRASH if running else Verdict.NOT_RUN
                reason = _CUT if running else "in the plan, and without a result"
                self.nodes.append(_Node(f"test {number}", verdict, reason))
                cut = False
        elif cut and self.plan is None and not self.bailed:
            self.nodes.append(_Node(f"test {self.following}", Verdict.CRASH, _CUT))
        self.numbers, self.plan, self.again = [], None, None

    @property
    def following(self) -> int:
        """The number that the next result should have."""
        return max(self.numbers, default=0) + 1


class _Tree:
    """Levels that are open, the outermost first."""

    def __init__(self) -> None:
        self.levels: list[_Level] = []

    def level(self, width: int) -> _Level:
        """The level of that width, made if need be; deeper ones stay open."""
        levels = self.levels
        if levels and levels[-1].width == width:
            return levels[-1]
        index = len(levels)
        while index and levels[index - 1].width >= width:
            index -= 1
            if levels[index].width == width:
                return levels[index]
        levels.insert(index, _Level(width))
        return levels[index]

    def result(self, width: int, node: _Node, number: int) -> None:
        """Add a result and hand it all that is nested deeper."""
        while self.levels and self.levels[-1].width > width:
            _adopt(node, self.levels.pop(), cut=False)
        self.level(width).add(node, number)

    def finish(self, cut: bool) -> _Level | None:
        """Close all levels; nested results whose own test never ended get a CRASH above them."""
        while len(self.levels) > 1:
            inner = self.levels.pop()
            outer = self.levels[-1]
            number = outer.following
            node = _Node(inner.title or f"test {number}", Verdict.CRASH, _CUT)
            _adopt(node, inner, cut)
            outer.add(node, number)
            cut = False
        if self.levels:
            self.levels[0].close(cut)
        return self.levels[0] if self.levels else None


def parse(
    lines: Iterable[str], *, status: int | None, planned: Sequence[str] = ()
) -> tuple[Case, ...]:
    """A case per result, named `outer/inner`, the outer one before its inner ones.

    Metadata lines (`#:ktap_speed: slow`) are in the detail under their keys, those of the whole
    document under `document`; `exit` and `time` of the kselftest runner are there too.
    """
    tree = _Tree()
    _read(_bare(whole(lines, status)), tree)
    root = tree.finish(cut=status is None)
    cases: list[Case] = []
    if root:
        _emit(root.nodes, "", Names(), cases, {"document": root.about} if root.about else {})
    ended = f"ended with {describe_status(status)}" if status not in _KSFT_GOOD and status else ""
    fault = _CUT if status is None and not cases else ended
    crashed = status is None or status > 128 or status < 0
    done = with_planned(cases, planned)
    return with_exit(done, fault, Verdict.CRASH if crashed else Verdict.FAIL)


def _bare(lines: list[str]) -> list[str]:
    """The lines without the kernel's timestamps, if the document itself is in the kernel log."""
    first = next((line for line in lines if "TAP version" in line), "")
    if not _STAMP.match(first):
        return lines
    return [_STAMP.sub("", line, count=1) if line.startswith("[") else line for line in lines]


def _read(lines: Iterable[str], tree: _Tree) -> None:
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


def _result(tree: _Tree, found: re.Match[str]) -> None:
    prefix, bad, digits, name, more = found.group(1, 2, 3, 4, 5)
    # TAP lets numbers out; only what cannot be prose is taken for a result then
    if digits is None and ("#" in prefix or not (bad or found[0].startswith("ok - ", len(prefix)))):
        return
    said = directives(_GLUED.sub("", more if name is None else name), bad is not None)
    node = _Node(_name(said.name) or digits or "unnamed", said.verdict)
    node.reason, node.seconds = said.reason, said.seconds
    node.note(dict(said.values))
    number = int(digits) if digits else tree.level(len(prefix)).following
    tree.result(len(prefix), node, number)


def _other(tree: _Tree, found: re.Match[str]) -> None:
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
        level.add(_Node("Bail out!", Verdict.FAIL, found[9].strip()), 0)
    elif kind == _META:
        tree.level(width).about_to(found[10], found[11].strip())
    elif kind == _ANNOUNCED:
        selftest = "selftests:" in found[0]
        title = f"selftests: {found[12]}" if selftest else found[12]
        tree.level(width if selftest else max(width - 2, 0)).title = title.strip()


def _skip_all(level: _Level, text: str) -> None:
    said = directives(f" # {text}", False)
    if said.verdict is Verdict.SKIP:
        level.reason = said.name or said.reason
        if not level.width:
            level.add(_Node("all tests", Verdict.SKIP, level.reason), 0)


def _adopt(node: _Node, level: _Level, cut: bool) -> None:
    level.close(cut and bool(level.nodes or level.plan is not None))
    node.note(level.about | level.pending)
    node.reason = node.reason or level.reason
    # levels are handed over from the deepest, so a shallower one comes first
    node.children = level.nodes + (node.children or [])


def _emit(
    nodes: Iterable[_Node | _Leaf],
    path: str,
    names: Names,
    cases: list[Case],
    common: Mapping[str, Any],
) -> None:
    unique, append = names.unique, cases.append
    passed = Verdict.PASS
    for node in nodes:
        if isinstance(node, str):
            append(Case(unique(path + node), passed, 0.0, "", common))
            continue
        name = unique(path + node.name)
        detail = {**common, **node.detail} if node.detail else common
        append(Case(name, node.verdict, node.seconds, node.reason, detail))
        if node.children:
            _emit(node.children, f"{name}/", names, cases, {})

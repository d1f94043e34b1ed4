# SPDX-License-Identifier: GPL-2.0-only
"""Two versions of a series, shown: for a terminal, as a list for a cover letter, as an object.

Rule: titles, trailers and lines come from mails, and are cleaned here (see results/clean.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.results.clean import code, cut, printable, sentence, short
from kzc.results.words import plural
from kzc.series.compare import Comparison, Pair, Share, What
from kzc.series.interdiff import Delta, FileDelta, Mark
from kzc.values import Series

_LINES = 40
_WORDS = {What.MESSAGE: "only the message"}
_STYLES = {
    What.CHANGED: "yellow",
    What.MESSAGE: "cyan",
    What.NEW: "green",
    What.DROPPED: "red",
}
_MARKS = {Mark.CAME: "green", Mark.GONE: "red", Mark.MOVED: "cyan", Mark.STAYED: "dim"}


def show(found: Comparison, console: Console, *, full: bool = False) -> None:
    """The table of patches, then what changed in each; `full`: the cover too, nothing cut."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, right in (("old", True), ("new", True), ("what", False), ("title", False)):
        table.add_column(title, overflow="fold", justify="right" if right else "left")
    for pair in found.pairs:
        what = Text(_what(pair), _STYLES.get(pair.what, ""))
        title = "\n  ".join([short(pair.title), *_hints(pair)])
        table.add_row(str(pair.old or "-"), str(pair.new or "-"), what, Text(title))
    console.print(table)
    for pair in found.pairs:
        lines = [*_message(pair), *(each for file in pair.files for each in _file(file, full))]
        if lines:
            _print(console, [Text(""), Text(f"{_place(pair)}: {short(pair.title)}", "bold")])
            _print(console, lines)
    if found.cover:
        _print(console, [Text(""), *_cover(found.cover, full)])


def markdown(found: Comparison, old: Series, new: Series) -> str:
    """What changed, one point a patch, for the cover letter of the newer version."""
    total = max((pair.new for pair in found.pairs), default=0)
    lines = [f"Changes in {sentence(label(new))} (against {sentence(label(old))}):", ""]
    lines += [f"- {_point(pair, total)}" for pair in found.pairs]
    return "\n".join(lines) + "\n"


def as_object(found: Comparison) -> dict[str, Any]:
    """For JSON; `old` and `new` are None where the patch is not."""
    return {"patches": [_patch(pair) for pair in found.pairs], "cover": list(found.cover)}


def label(series: Series) -> str:
    """`v8`, or the name of what was never posted."""
    return f"v{series.version}" if series.version else series.name


def _patch(pair: Pair) -> dict[str, Any]:
    return {
        "old": pair.old or None,
        "new": pair.new or None,
        "what": pair.what.value,
        "title": pair.title,
        "moved": pair.moved,
        "message": {
            "title_before": pair.message.title,
            "author_before": pair.message.author,
            "text": list(pair.message.text),
            "trailers_added": list(pair.message.came),
            "trailers_removed": list(pair.message.gone),
        },
        "files": [
            {
                "path": file.path,
                "path_before": file.before,
                "added": file.came,
                "removed": file.gone,
                "elsewhere": file.elsewhere or None,
                "lines": [[line.mark.value, line.text, line.function] for line in file.lines],
            }
            for file in pair.files
        ],
        "went": [{"patch": share.number, "lines": share.lines} for share in pair.went],
        "came_from": [{"patch": share.number, "lines": share.lines} for share in pair.came_from],
    }


def _what(pair: Pair) -> str:
    word = _WORDS.get(pair.what, pair.what.value)
    if pair.what is What.CHANGED:
        word += f" {_amount(pair.came, pair.gone)}"
    return f"{word}, moved" if pair.moved else word


def _amount(came: int, gone: int) -> str:
    return f"+{came:,} -{gone:,}"


def _place(pair: Pair) -> str:
    return f"{pair.old or 'new'} -> {pair.new or 'dropped'}"


def _hints(pair: Pair) -> list[str]:
    hints = [f"title was: {short(pair.message.title)}"] if pair.message.title else []
    hints += [_shares(pair.went, "went to new")] if pair.went else []
    hints += [_shares(pair.came_from, "came from old")] if pair.came_from else []
    return hints


def _shares(shares: Iterable[Share], words: str) -> str:
    told = [f"{plural(share.lines, 'line')} {words} patch {share.number}" for share in shares]
    return ", ".join(told)


def _message(pair: Pair) -> Iterator[Text]:
    message = pair.message
    if message.author:
        yield Text(f"  author was: {short(message.author)}")
    if message.text:
        yield Text("  message", "bold")
        yield from (_marked(line[:1], line[1:], "    ") for line in message.text)
    if message.came or message.gone:
        yield Text("  trailers", "bold")
        yield from (_marked("-", line, "    ") for line in message.gone)
        yield from (_marked("+", line, "    ") for line in message.came)


def _file(file: FileDelta, full: bool) -> Iterator[Text]:
    before = f" (was {short(file.before)})" if file.before else ""
    note = _alone(file)
    amount = _amount(file.came, file.gone)
    yield Text(f"  {short(file.path)}{before}: {amount}{note}", "bold")
    if file.elsewhere and not full:
        return
    shown = file.lines if full else file.lines[:_LINES]
    function = ""
    for line in shown:
        if line.function != function:
            function = line.function
            yield Text(f"    @@ {short(function)}", "cyan")
        yield _delta(line)
    if len(file.lines) > len(shown):
        yield Text(f"    [{len(file.lines) - len(shown):,} more lines, --full shows them]")


def _alone(file: FileDelta) -> str:
    """What is to be said of a file that only one of the patches touches."""
    if file.marks == {Mark.GONE}:
        return (
            f", in new patch {file.elsewhere} now" if file.elsewhere else ", not touched any more"
        )
    if file.marks == {Mark.CAME}:
        return f", from old patch {file.elsewhere}" if file.elsewhere else ", not touched before"
    return ""


def _delta(line: Delta) -> Text:
    return _marked(line.mark.value, line.text, "    ")


def _marked(mark: str, text: str, before: str) -> Text:
    style = _MARKS[Mark(mark)]
    return Text(f"{before}{mark} {cut(printable(text).rstrip())}".replace("\n", " "), style)


def _cover(lines: tuple[str, ...], full: bool) -> Iterator[Text]:
    came, gone = (sum(line[:1] == mark for line in lines) for mark in "+-")
    hint = "" if full else ", --full shows them"
    yield Text(f"cover letter: {_amount(came, gone)} lines{hint}", "bold")
    if full:
        yield from (_marked(line[:1], line[1:], "  ") for line in lines)


def _print(console: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _point(pair: Pair, total: int) -> str:
    title = sentence(pair.title)
    if pair.what is What.DROPPED:
        parts = [f"dropped (was patch {pair.old})"]
    elif pair.what is What.CHANGED:
        names = ", ".join(code(file.path) for file in pair.files[:4])
        more = f" and {len(pair.files) - 4} more" if len(pair.files) > 4 else ""
        parts = [f"{_amount(pair.came, pair.gone)} in {names}{more}"]
    elif pair.what is What.MESSAGE:
        parts = ["only the message" if pair.message.text else "no change in code"]
    else:
        parts = [pair.what.value]
    parts += [f"was patch {pair.old}, moved"] if pair.moved else []
    parts += [sentence(hint) for hint in _hints(pair)]
    parts += [f"added {sentence(each)}" for each in pair.message.came]
    parts += [f"removed {sentence(each)}" for each in pair.message.gone]
    number = f"{pair.new}/{total} " if pair.new else ""
    return f"{number}{title}: {'; '.join(parts)}"

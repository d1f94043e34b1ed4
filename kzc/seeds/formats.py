# SPDX-License-Identifier: GPL-2.0-only
"""Seeds and what became of their claims, as plain text, Markdown, and JSON.

`clean` makes a text fit to be shown there (kzc/results/clean.py has one for each place); every text
goes through it, as runs hold what guests wrote.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from kzc.seeds.values import Answer, Document, Made, Point, Word

Clean = Callable[[str], str]
SCHEMA = "kzc-seeds/1"
WIDTH = 96
_IN = "    "


def counts(documents: Sequence[Document]) -> str:
    """`12 hold, 3 do not hold, 4 cannot be told`."""
    words = [answer.word for each in documents for answer in each.answers]
    verbs = {Word.HOLDS: "hold", Word.NOT: "do not hold", Word.UNTOLD: "cannot be told"}
    told = ", ".join(f"{words.count(word)} {verb}" for word, verb in verbs.items())
    return f"{len(words)} claims: {told}"


def byline(document: Document) -> str:
    """Who said it, in what, and when."""
    return ", ".join(filter(None, (document.author, document.what, document.date)))


def facts(answer: Answer) -> Iterator[tuple[str, str]]:
    """What a reader has to know of a claim beside its figures, by name."""
    if answer.where:
        yield "posted in", answer.where
    if answer.proof:
        yield "proven by", f"{answer.proof}: {answer.rule}"
    if answer.why:
        yield "why", answer.why
    if answer.note:
        yield "note", answer.note
    if answer.made:
        yield from _made(answer.made)
    if answer.command:
        yield "again" if answer.made else "to do", answer.command


def _made(made: Made) -> Iterator[tuple[str, str]]:
    when = made.started[:16].replace("T", " ")
    yield "run", f"{made.run}, {when} UTC: {made.command}"
    yield "kernel", "; ".join((made.kernel, made.how, *made.notes))


def heads(answer: Answer) -> tuple[str, ...]:
    """What stands above the rows of a claim."""
    return ("", answer.column, "here", "verdict")


def row(point: Point) -> tuple[str, ...]:
    """A point under `heads`; why it does not hold stands with the claim."""
    return (point.name, point.posted, point.found, point.word.value)


def text(documents: Sequence[Document], clean: Clean) -> str:
    """For a terminal or a mail."""
    parts = [counts(documents)]
    for document in documents:
        head = f"{document.seed}  {clean(document.title)}\n     {clean(byline(document))}"
        parts.append("\n".join((head, *(f"     {clean(link)}" for link in document.links))))
        parts += [_text(answer, clean) for answer in document.answers]
    return "\n\n".join(parts) + "\n"


def _text(answer: Answer, clean: Clean) -> str:
    lines = [f"  {answer.word.value.upper()}: {clean(answer.name)}"]
    lines += [_wrapped(clean(answer.says), _IN)]
    lines += _aligned([heads(answer), *map(row, answer.points)], clean) if answer.points else []
    for name, told in facts(answer):
        # a command is copied as one line
        whole = name in {"again", "to do"}
        shown = f"{name:<9} {clean(told)}"
        lines.append(f"{_IN}{shown}" if whole else _wrapped(shown, _IN, 10))
    return "\n".join(lines)


def _wrapped(words: str, before: str, more: int = 0) -> str:
    return textwrap.fill(
        words,
        WIDTH,
        initial_indent=before,
        subsequent_indent=before + " " * more,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _aligned(rows: Sequence[Sequence[str]], clean: Clean) -> list[str]:
    shown = [[clean(cell) for cell in each] for each in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [
        _IN + "  ".join(f"{cell:<{wide}}" for cell, wide in zip(each, widths, strict=True)).rstrip()
        for each in shown
    ]


def markdown(documents: Sequence[Document], clean: Clean, code: Clean) -> str:
    """For a cover letter or a job's page; `code` shows a command or a name."""
    parts = ["## What the seeds claim", clean(counts(documents))]
    for document in documents:
        parts.append(f"### {clean(document.seed)}: {clean(document.title)}")
        links = [f"<{link}>" for link in document.links]
        parts.append(", ".join((clean(byline(document)), *links)))
        parts += [_marked(answer, clean, code) for answer in document.answers]
    return "\n\n".join(filter(None, parts)) + "\n"


def _marked(answer: Answer, clean: Clean, code: Clean) -> str:
    lines = [f"**{answer.word.value}**: {code(answer.name)}: {clean(answer.says)}"]
    if answer.points:
        above = heads(answer)
        rows = [above, ("---",) * len(above), *(map(clean, row(each)) for each in answer.points)]
        lines.append("\n".join(f"| {' | '.join(each)} |" for each in rows))
    shown = {"again": code, "to do": code}
    told = [f"- {name}: {shown.get(name, clean)(words)}" for name, words in facts(answer)]
    return "\n\n".join((*lines, "\n".join(told)))


def as_object(documents: Sequence[Document], clean: Clean) -> dict[str, Any]:
    """For JSON; `clean` keeps what can be written."""
    words = [answer.word for each in documents for answer in each.answers]
    found = {
        "schema": SCHEMA,
        "counts": {word.value: words.count(word) for word in Word},
        "seeds": [_as_dict(each) for each in documents],
    }
    cleaned: dict[str, Any] = _each_text(found, clean)
    return cleaned


def _as_dict(document: Document) -> dict[str, Any]:
    found = asdict(document)
    found["claims"] = found.pop("answers")
    return found


def _each_text(value: Any, clean: Clean) -> Any:
    if isinstance(value, dict):
        return {key: _each_text(each, clean) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(each, clean) for each in value]
    return clean(value) if isinstance(value, str) else value


def to_json(documents: Sequence[Document], clean: Clean) -> str:
    """The object, indented; what is beyond ASCII is escaped."""
    return json.dumps(as_object(documents, clean), indent=1) + "\n"

# SPDX-License-Identifier: GPL-2.0-only
"""All man pages, as texts by file name, of a tree of commands and of the topics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kzc.cli.completing.walk import first_line
from kzc.cli.manual import roff
from kzc.cli.manual.markdown import body
from kzc.cli.manual.topics import title, topics

# topics whose text kzc(1) holds as well, as every man page has such sections
_IN_KZC = {"exit-status": "exit status", "files": "files", "environment": "environment"}


@dataclass(frozen=True)
class Edition:
    """Which kzc the pages are of, and the date they bear."""

    version: str
    date: str


def pages(root: Any, edition: Edition) -> dict[str, str]:
    """kzc.1, kzc-VERB.1 and kzc-TOPIC.7. Raises ValueError for a topic that no page can hold."""
    made = {"kzc.1": _root(root, edition)}
    for name, command in root.commands.items():
        if not command.hidden:
            made[f"kzc-{name}.1"] = _verb(name, command, edition)
    for name, text in topics().items():
        made[f"kzc-{name}.7"] = _topic(name, text, edition)
    return {name: "\n".join((_LICENCE, *lines)) + "\n" for name, lines in made.items()}


_LICENCE = '.\\" SPDX-License-Identifier: GPL-2.0-only'


def _start(name: str, number: int, about: str, edition: Edition) -> list[str]:
    short = about.rstrip(".")
    return [
        *roff.head(name, number, edition.date, f"kzc {edition.version}"),
        *roff.section("name"),
        *roff.filled(f"{roff.plain(name)} \\- {roff.plain(short.replace('`', ''))}"),
    ]


def _root(root: Any, edition: Edition) -> list[str]:
    texts = topics()
    lines = _start("kzc", 1, first_line(root.help), edition)
    lines += [*roff.section("synopsis"), *_synopsis("kzc", root)]
    lines += [*roff.section("description"), *_paragraphs(root.help), *roff.section("verbs")]
    for name, each in root.commands.items():
        if not each.hidden:
            lines += roff.entry(_page(f"kzc-{name}", 1), roff.marked(first_line(each.help)))
    lines += [*roff.section("options"), *_options(root), *roff.section("topics")]
    for name, text in texts.items():
        lines += roff.entry(_page(f"kzc-{name}", 7), roff.marked(title(text)))
    for name, heading in _IN_KZC.items():
        lines += [*roff.section(heading), *_lower(body(texts[name]))]
    return lines


def _verb(name: str, command: Any, edition: Edition) -> list[str]:
    below = [each for each in getattr(command, "commands", {}).items() if not each[1].hidden]
    called = {f"kzc {name} {each}": verb for each, verb in below}
    called = called or {f"kzc {name}": command}
    lines = _start(f"kzc-{name}", 1, first_line(command.help), edition)
    lines += roff.section("synopsis")
    for number, (words, each) in enumerate(called.items()):
        lines += [".br"] * bool(number) + _synopsis(words, each)
    lines += [*roff.section("description"), *_paragraphs(command.help)]
    if below:
        lines += roff.section("verbs")
        for words, each in called.items():
            lines += [f'.SS "{roff.plain(words)}"', *_paragraphs(each.help)]
            lines += [*_arguments(each), *_options(each)]
    else:
        arguments = _arguments(command)
        lines += [*roff.section("arguments"), *arguments] if arguments else []
        lines += [*roff.section("options"), *_options(command)]
    return lines + _see_also()


def _topic(name: str, text: str, edition: Edition) -> list[str]:
    lines = _start(f"kzc-{name}", 7, title(text), edition)
    return [*lines, *roff.section("description"), *_lower(body(text)), *_see_also()]


def _see_also() -> list[str]:
    return [*roff.section("see also"), _page("kzc", 1)]


def _page(name: str, number: int) -> str:
    return f"{roff.bold(name)}({number})"


def _lower(lines: list[str]) -> list[str]:
    """Sections become sections of a section; a paragraph behind a heading needs no request."""
    lines = [line.replace(".SH", ".SS", 1) if line.startswith(".SH ") else line for line in lines]
    before = [".SH", *lines]
    return [line for line, last in zip(lines, before, strict=False) if not _twice(line, last)]


def _twice(line: str, last: str) -> bool:
    return line == ".PP" and last.startswith((".SH", ".SS"))


def _paragraphs(text: str | None) -> list[str]:
    """Those of a help text, behind a heading."""
    parts = re.split(r"\n\s*\n", (text or "").strip())
    return [line for part in parts for line in roff.paragraph(roff.marked(part))][1:]


def _synopsis(words: str, command: Any) -> list[str]:
    parts = [roff.bold(words), f"[{roff.italic('OPTION')}]..."]
    if getattr(command, "commands", None):
        parts.append(f"{roff.italic('VERB')} ...")
    for each in _of(command, "argument"):
        word, dots = roff.italic(_metavar(each)), "..." if each.nargs == -1 else ""
        parts.append(f"{word}{dots}" if each.required else f"[{word}]{dots}")
    return roff.filled(" ".join(parts))


def _arguments(command: Any) -> list[str]:
    told = [each for each in _of(command, "argument") if each.help]
    entries = [roff.entry(roff.italic(_metavar(each)), roff.marked(each.help)) for each in told]
    return [line for each in entries for line in each]


def _options(command: Any) -> list[str]:
    told = [each for each in _of(command, "option") if not each.hidden]
    entries = [roff.entry(_spelled(each), roff.marked(_told(each))) for each in told]
    entries.append(roff.entry(roff.bold("--help"), "Show a summary of this and exit."))
    return [line for each in entries for line in each]


def _of(command: Any, kind: str) -> list[Any]:
    return [each for each in command.params if each.param_type_name == kind]


def _spelled(option: Any) -> str:
    """All ways to write it, the short ones first, and what it takes."""
    ways = sorted((*option.opts, *option.secondary_opts), key=lambda way: way.startswith("--"))
    value = "" if option.is_flag else f" {roff.italic(_metavar(option))}"
    return ", ".join(f"{roff.bold(way)}{value}" for way in ways)


def _told(option: Any) -> str:
    told = option.help or ""
    default = option.default
    if isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
        told += f" [{default}]"
    if isinstance(option.envvar, str):
        told += f" Also by the variable `{option.envvar}`."
    return told


def _metavar(parameter: Any) -> str:
    said = (parameter.metavar or parameter.name or "").upper()
    longest = max((each.lstrip("-") for each in parameter.opts), key=len, default=said)
    if parameter.param_type_name == "option" and not parameter.metavar:
        said = longest.upper()
    return re.sub(r"^\[(.*)\]$", r"\1", said)

# SPDX-License-Identifier: GPL-2.0-only
"""Markdown to man(7): headings, paragraphs, lists of terms, examples, `code`. Nothing else.

A list item that begins with `code` and a colon is a term with what it means.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kzc.cli.manual import roff


def body(text: str) -> list[str]:
    """The roff of a text but for its title. Raises ValueError for what no page can hold."""
    tokens = [each for each in MarkdownIt("zero").enable(_RULES).parse(text) if not each.hidden]
    lines: list[str] = []
    context = ""
    for token in tokens:
        match token.type:
            case "heading_open" | "list_item_open" | "paragraph_open":
                context = token.tag
            case "inline" if context == "h1":
                pass
            case "inline" if context == "h2":
                lines += roff.section(token.content)
            case "inline" if context == "li":
                lines += _item(token)
            case "inline":
                lines += roff.paragraph(_inline(token))
            case "fence" | "code_block":
                lines += roff.verbatim(token.content)
            case kind if kind.removesuffix("_close").removesuffix("_open") in _SILENT:
                pass
            case kind:
                raise ValueError(f"no page can hold {kind}: {token.content!r}")
    return lines


_RULES = ["heading", "list", "code", "fence", "newline", "backticks", "emphasis", "link"]
_SILENT = {"heading", "list_item", "paragraph", "bullet_list"}


def _item(token: Token) -> list[str]:
    children = token.children or []
    for number, child in enumerate(children):
        if child.type == "text" and child.content.startswith(":") and number:
            told = child.copy(content=child.content[1:].lstrip())
            term, rest = children[:number], [told, *children[number + 1 :]]
            return roff.entry(_spans(term), _spans(rest))
        if child.type == "text" and not all(sign in " ,/" for sign in child.content):
            break
    return roff.entry("\\(bu", _inline(token))


def _inline(token: Token) -> str:
    return _spans(token.children or [])


def _spans(children: list[Token]) -> str:
    return "".join(map(_span, children))


def _span(token: Token) -> str:
    match token.type:
        case "text":
            return roff.plain(token.content)
        case "softbreak":
            return " "
        case "code_inline":
            return roff.bold(token.content)
    raise ValueError(f"no page can hold {token.type}: {token.content!r}")

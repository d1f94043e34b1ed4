# SPDX-License-Identifier: GPL-2.0-only
"""A run as one HTML file that needs nothing else: no network, no scripts, no other file.

Everything in it is untrusted and escaped by the template engine; the file's own policy
(Content-Security-Policy) lets no address be loaded and no script run but the one it brings, which
only adds comfort. Styles are allowed inline, for what plots bring along.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from kzc.results.clean import short
from kzc.results.logs import OpenLog
from kzc.results.page import Section, page
from kzc.results.words import label, plural, some, span
from kzc.values import Run

Link = Callable[[str], str]
"""The address of a log by its path; empty where there is none."""


def html(
    run: Run, opened: OpenLog, sections: Sequence[Section] = (), link: Link | None = None
) -> str:
    """The page; `opened` reads logs, `link` says where a reader finds them (nowhere if None)."""
    return rendered("report.html.j2", page=page(run, opened, sections), link=link or _nowhere)


def rendered(template: str, **values: object) -> str:
    """A template of kzc/results/templates with these values."""
    return _environment().get_template(template).render(**values)


def policy() -> str:
    """The Content-Security-Policy of every page."""
    digest = base64.b64encode(hashlib.sha256(_text("page.js").encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'self'"
    )


def _nowhere(_log: str) -> str:
    return ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("kzc.results", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"label": label, "span": span, "some": some, "short": short}
    environment.globals |= {
        "plural": plural,
        "css": _text("page.css"),
        "js": _text("page.js"),
        "policy": policy(),
    }
    return environment


def _text(name: str) -> str:
    return (files("kzc.results") / "templates" / name).read_text(encoding="utf-8")

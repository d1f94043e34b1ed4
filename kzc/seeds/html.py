# SPDX-License-Identifier: GPL-2.0-only
"""Seeds as HTML: a fragment for a report, and a page of its own. Nothing is loaded from anywhere.

`clean` makes a text printable; the template escapes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from kzc.seeds.formats import Clean, byline, counts, facts, heads, row
from kzc.seeds.values import Document


def fragment(documents: Sequence[Document], clean: Clean, others: Sequence[Document] = ()) -> str:
    """A `<section class="seeds">` without style; `others` are told in a few words each."""
    return _rendered("fragment.html.j2", documents, clean, others)


def page(documents: Sequence[Document], clean: Clean) -> str:
    """A whole document, readable in light and dark."""
    return _rendered("page.html.j2", documents, clean, ())


def _rendered(
    template: str, documents: Sequence[Document], clean: Clean, others: Sequence[Document]
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    surroundings = Environment(
        loader=PackageLoader("kzc.seeds"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    surroundings.filters |= {
        "clean": clean,
        "facts": facts,
        "row": row,
        "heads": heads,
        "byline": byline,
    }
    found = surroundings.get_template(template)
    told = {"documents": documents, "others": others, "counts": counts(documents)}
    return found.render(**told).rstrip() + "\n"

# SPDX-License-Identifier: GPL-2.0-only
"""A bench as HTML: a fragment for a report, and a page of its own. Nothing is loaded from anywhere.

`clean` makes a text printable; the template escapes it. Only the plots are put in as they are.
"""

from __future__ import annotations

from kzc.bench.compare import Comparison
from kzc.bench.formats import Clean
from kzc.bench.plots import plots
from kzc.bench.report import report
from kzc.bench.result import Bench


def fragment(bench: Bench, clean: Clean, comparison: Comparison | None = None) -> str:
    """A `<section class="bench">` with marks, setup, tables and inline SVG; brings no style."""
    return _rendered("fragment.html.j2", bench, clean, comparison)


def page(bench: Bench, clean: Clean, comparison: Comparison | None = None) -> str:
    """A whole document, readable in light and dark."""
    return _rendered("page.html.j2", bench, clean, comparison)


def _rendered(template: str, bench: Bench, clean: Clean, comparison: Comparison | None) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    surroundings = Environment(
        loader=PackageLoader("kzc.bench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    surroundings.filters["clean"] = clean
    found = surroundings.get_template(template)
    return found.render(report=report(bench, comparison), plots=plots(bench)).rstrip() + "\n"

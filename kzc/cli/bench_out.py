# SPDX-License-Identifier: GPL-2.0-only
"""A bench on standard output in one format, and in a folder in all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kzc.bench import document, formats, html
from kzc.bench.compare import Comparison
from kzc.bench.plots import plots
from kzc.bench.report import report
from kzc.bench.result import Bench
from kzc.errors import UsageError
from kzc.results import disk
from kzc.results.clean import LONG, code, paired, sentence, short


@dataclass(frozen=True)
class Shown:
    """How it is told: a name of FORMATS; whether every cell is; a folder for files, or None."""

    form: str = "text"
    full: bool = False
    out: Path | None = None


def _long(text: str) -> str:
    return short(text, LONG)


def _text(bench: Bench, comparison: Comparison | None, full: bool = True) -> str:
    return formats.text(report(bench, comparison), _long, full)


def _markdown(bench: Bench, comparison: Comparison | None) -> str:
    return formats.markdown(report(bench, comparison), sentence, code)


def _csv(bench: Bench, _: Comparison | None) -> str:
    return formats.table_csv(bench, _long)


def _json(bench: Bench, comparison: Comparison | None) -> str:
    return paired(document.to_json(bench, comparison))


def _html(bench: Bench, comparison: Comparison | None) -> str:
    return html.page(bench, _long, comparison)


FORMATS: dict[str, Callable[[Bench, Comparison | None], str]] = {
    "text": _text,
    "markdown": _markdown,
    "csv": _csv,
    "json": _json,
    "html": _html,
}
_ENDINGS = {"text": "txt", "markdown": "md"}


def ready(shown: Shown) -> None:
    """Refuse now what could not be shown after an hour of measuring. Raises UsageError."""
    if shown.form not in FORMATS:
        raise UsageError(f"there is no format {shown.form}", f"there are: {', '.join(FORMATS)}")
    if shown.out is not None:
        with _refused(shown.out):
            shown.out.mkdir(parents=True, exist_ok=True)


def show(bench: Bench, shown: Shown, comparison: Comparison | None) -> None:
    """Print it, and write the files where a folder is named, each of them whole. Raises
    UsageError if that fails."""
    if shown.form == "text":
        print(_text(bench, comparison, shown.full), end="")
    else:
        print(FORMATS[shown.form](bench, comparison), end="")
    if shown.out is None:
        return
    files = {f"bench.{_ENDINGS.get(name, name)}": make for name, make in FORMATS.items()}
    texts = {name: make(bench, comparison) for name, make in files.items()}
    texts |= {f"{plot.name}.svg": plot.svg for plot in plots(bench)}
    with _refused(shown.out):
        for name, text in texts.items():
            disk.replace(shown.out / name, text.encode())


@contextmanager
def _refused(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from error

# SPDX-License-Identifier: GPL-2.0-only
"""Reading a run's logs for a report: by their relative path, and never more than is shown.

A log may have 100 MB in one line and any byte in it. So it is read once, its first `HEAD` bytes and
its last `TAIL`, and only the lines that are shown are cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kzc.errors import HostError
from kzc.results.clean import cut, printable

OpenLog = Callable[[str], AbstractContextManager[BinaryIO] | None]
"""Opens a log by the path that an outcome holds; None where there is no such log. What it gives may
raise HostError or OSError when entered."""

HEAD = 8 << 20
TAIL = 64 << 10
_SKIPPED = 512 << 20
_CHUNK = 1 << 20
_HITS = 200
_WIDTH = 240

_PATH = re.compile(r"logs(?:/[\w+-][\w.+-]*)+", re.ASCII)
_NUMBER = re.compile(r"^\d+[ .:-]+")
_BAD = re.compile(rb"not ok|fail|error|expected|crash|timed? ?out", re.IGNORECASE)
_FINE = re.compile(rb"(?:\bok|skipped|skip|pass(?:ed)?|\[ +ok \])\s*$|^ok ", re.IGNORECASE)


def safe(path: object) -> str:
    """The path if it is one that kzc gives to logs, else empty: fit for a link and for opening."""
    text = str(path)
    return text if _PATH.fullmatch(text) else ""


def in_folder(folder: Path) -> OpenLog:
    """Logs that lie as files under the folder of a run."""
    root = folder.resolve()

    def opened(path: str) -> BinaryIO | None:
        file = (root / path).resolve()
        if not safe(path) or not file.is_relative_to(root) or not file.is_file():
            return None
        return file.open("rb")

    return opened


def none(_path: str) -> BinaryIO | None:
    """For a run whose logs are not at hand."""
    return None


@dataclass(frozen=True)
class Excerpt:
    """Lines of a log, clean; `number` is the first one's, 0 where that is not known, and `mark` the
    place among them of the line that it is about, -1 for none."""

    log: str
    number: int
    lines: tuple[str, ...]
    mark: int = -1


@dataclass(frozen=True)
class LogText:
    """What was read of a log; `tail` is empty where `head` is all of it."""

    log: str
    head: bytes
    tail: bytes = b""

    def around(self, name: str, before: int = 3, after: int = 9) -> Excerpt | None:
        """The lines around what says most of a case: a line with the last part of its name."""
        last = name.rpartition("/")[2].strip()
        needles = (last.encode(), _NUMBER.sub("", last).encode())
        at = next((at for each in needles if each and (at := _best(self.head, each)) >= 0), -1)
        if at < 0:
            return None
        above, here = _lines_before(self.head, at, before), _line_start(self.head, at)
        below = self.head[here : here + (after + 1) * 4096].split(b"\n")[: after + 1]
        while len(below) > 1 and not below[-1].strip():
            below.pop()
        number = self.head.count(b"\n", 0, here) + 1 - len(above)
        shown = tuple(map(_shown, (*above, *below)))
        return Excerpt(self.log, number, shown, len(above))

    def end(self, number: int = 20) -> Excerpt | None:
        """The last lines."""
        data = (self.tail or self.head).rstrip(b"\n")
        lines = data[-number * 4096 :].split(b"\n")[-number:]
        if not data:
            return None
        first = 0 if self.tail else data.count(b"\n") + 2 - len(lines)
        return Excerpt(self.log, first, tuple(map(_shown, lines)))


def read(path: object, opened: OpenLog) -> LogText | None:
    """Head and tail of a log; None where it cannot be had."""
    log = safe(path)
    try:
        stream = opened(log) if log else None
        if stream is None:
            return None
        with stream as file:
            return LogText(log, *_ends(file))
    except (OSError, HostError):
        return None


def _ends(stream: BinaryIO) -> tuple[bytes, bytes]:
    pieces, left = [], HEAD
    while left > 0 and (piece := stream.read(left)):
        pieces.append(piece)  # what is packed is given in pieces
        left -= len(piece)
    tail, skipped = b"", 0
    while left <= 0 and skipped < _SKIPPED and (piece := stream.read(_CHUNK)):
        tail, skipped = (tail + piece)[-TAIL:], skipped + len(piece)
    return b"".join(pieces), tail


def _best(data: bytes, needle: bytes) -> int:
    """Where the line is that says most: one of a failure before a neutral one, the last of many."""
    best, found, at = -1, (-9, -1), data.find(needle)
    for _ in range(_HITS):
        if at < 0:
            break
        line = data[_line_start(data, at) : at + 400].partition(b"\n")
        whole = line[0] if at - _line_start(data, at) < 400 else data[at : at + 400]
        score = 2 * bool(_BAD.search(whole.replace(needle, b""))) - 2 * bool(_FINE.search(whole))
        if (score, at) > found:
            best, found = at, (score, at)
        at = data.find(needle, at + 400 if b"\n" not in data[at : at + 400] else at + len(needle))
    return best


def _line_start(data: bytes, at: int) -> int:
    return max(data.rfind(b"\n", max(0, at - 4096), at) + 1, at - 4096, 0)


def _lines_before(data: bytes, at: int, number: int) -> list[bytes]:
    start = _line_start(data, at)
    return (
        data[max(0, start - number * 4096) : max(0, start - 1)].split(b"\n")[-number:]
        if start
        else []
    )


def _shown(line: bytes) -> str:
    return cut(printable(line[:4096].decode(errors="replace").rstrip()), _WIDTH)

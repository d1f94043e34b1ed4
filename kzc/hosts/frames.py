# SPDX-License-Identifier: GPL-2.0-only
"""The frames between kzc and its keeper on a host: many streams through one SSH session. Pure.

A frame is its kind (a letter), the number of its stream, the length of its data (4 bytes each,
big-endian) and the data. Standard library only: the keeper has it too.
"""

import struct

BEAT = b"b"
"""No data: kzc asks whether the keeper is there, and the keeper answers."""
RUN = b"r"
"""To the host: a new stream with a command (see `command`)."""
RELAY = b"l"
"""To the host: a new stream that is a Unix socket; its path."""
PORT = b"p"
"""To the host: a new stream whose output is a free TCP port of its loopback, in decimal."""
INPUT = b"i"
"""To the host: input of the stream, empty at its end."""
CLOSE = b"c"
"""To the host: nobody reads the stream any more, and nothing comes."""
HOLD = b"h"
"""To the host: read no more of the stream's output for now, much of it was not taken yet."""
GO = b"g"
"""To the host: read on."""
OUTPUT = b"o"
"""From the host: what came from stdout, empty at its end."""
ERRORS = b"e"
"""From the host: the same for stderr."""
STATUS = b"s"
"""From the host, after both ends: the exit status as a shell gives it, in decimal."""

_KINDS = frozenset({BEAT, RUN, RELAY, PORT, INPUT, CLOSE, HOLD, GO, OUTPUT, ERRORS, STATUS})
_MOST = 1 << 24  # bytes of data; no frame comes near it
_HEAD = struct.Struct(">cII")


def frame(kind: bytes, stream: int = 0, data: bytes = b"") -> bytes:
    """One frame as it is sent."""
    return _HEAD.pack(kind, stream, len(data)) + data


def command(argv: list[bytes], cwd: bytes, stdin: bytes, merged: bool) -> bytes:
    """The data of a RUN frame; `cwd` and `stdin` (a file) may be empty, `merged` sends stderr along
    with stdout. Words hold no NUL (execve(2))."""
    return b"\0".join([b"1" if merged else b"0", cwd, stdin, *argv])


def understood(data: bytes) -> tuple[list[bytes], bytes, bytes, bool]:
    """What `command` was given."""
    merged, cwd, stdin, *argv = data.split(b"\0")
    return argv, cwd, stdin, merged == b"1"


class Cutter:
    """Cuts a byte stream into frames; what is not complete yet waits."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[bytes, int, bytes]]:
        """The complete frames: kind, stream, data. Raises ValueError for what is no frame."""
        self._rest += data
        found, at = [], 0
        while len(self._rest) - at >= _HEAD.size:
            kind, stream, length = _HEAD.unpack_from(self._rest, at)
            if kind not in _KINDS or length > _MOST:
                raise ValueError(f"no frame: {self._rest[at : at + 40]!r}")
            end = at + _HEAD.size + length
            if len(self._rest) < end:
                break
            found.append((kind, stream, self._rest[at + _HEAD.size : end]))
            at = end
        self._rest = self._rest[at:]
        return found

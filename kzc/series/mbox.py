# SPDX-License-Identifier: GPL-2.0-only
"""From the bytes of a file to single mails: mbox, mboxrd, gzip, or just one mail. Pure."""

from __future__ import annotations

import re
import zlib

from kzc.errors import UsageError

# "From " also begins sentences; a separator ends in a year
_FROM = re.compile(rb"From \S+ .*\b\d{4}(?: [+-]\d{4})?\r?\n?$")
_GZIP = b"\x1f\x8b"
_LIMIT = 256 << 20


def split_mbox(data: bytes) -> list[bytes]:
    """The mails of an mbox without their separators; a single mail is a list of one.

    `>From ` is unquoted only where the separators say mboxrd (as lore's do): git writes mboxes
    without quoting anything.
    """
    mails: list[list[bytes]] = []
    quoted = data.startswith(b"From mboxrd@")
    previous = b"\n"
    for line in data.splitlines(keepends=True):
        if previous.strip() == b"" and _FROM.match(line) and (mails or data.startswith(b"From ")):
            mails.append([])
        else:
            if not mails:
                mails.append([])
            if quoted and re.match(rb">+From ", line):
                line = line[1:]
            mails[-1].append(line)
        previous = line
    return [b"".join(lines) for lines in mails if b"".join(lines).strip()]


def expand(data: bytes, origin: str) -> bytes:
    """The content of a gzip file as lore serves them, anything else as it is.

    Raises UsageError where it is cut or far larger than mails are.
    """
    if not data.startswith(_GZIP):
        return data
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, _LIMIT)
    except zlib.error as error:
        raise UsageError(f"{origin}: damaged gzip data: {error}", "fetch it again") from error
    if not unpacker.eof:
        why = "is larger than any series" if unpacker.unconsumed_tail else "ends in the middle"
        raise UsageError(f"{origin}: the gzip data {why}", "fetch it again")
    return plain

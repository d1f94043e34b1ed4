# SPDX-License-Identifier: GPL-2.0-only
"""The control channel's language, both directions, as pure functions.

Host to guest: "NONCE BASE64\\n". Guest to host: "kzc-agent 1" once, then per command its raw
output and a line "NONCE STATUS". The nonce is new for each command, so no output can forge it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

HELLO = "kzc-agent 1"


def request(nonce: str, text: str) -> bytes:
    """The line that makes the guest run `text` in a shell."""
    return f"{nonce} {base64.b64encode(text.encode()).decode()}\n".encode()


def status_of(line: str, nonce: str) -> int | None:
    """The exit status if `line` ends the command started with `nonce`."""
    word, _, status = line.partition(" ")
    return int(status) if word == nonce and status.isdigit() else None


@dataclass
class Lines:
    """Cuts a byte stream into lines; what has no newline yet waits in `rest`."""

    rest: bytes = b""

    def feed(self, data: bytes) -> list[str]:
        """Complete lines, without their ends, carriage returns dropped."""
        *whole, self.rest = (self.rest + data).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

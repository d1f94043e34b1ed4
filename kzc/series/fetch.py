# SPDX-License-Identifier: GPL-2.0-only
"""A thread by Message-ID, fetched with `b4 mbox`: the only way in which kzc asks for mails.

b4's exit status and words are not believed: what counts is the mbox with that very mail in it. It
gets the user's configuration, as mirrors and proxies are his business, but no folder of his to
write to and no memory of what it fetched before.
"""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path

from kzc.errors import HostError, pip_install
from kzc.proc import Runner
from kzc.series.mails import Source
from kzc.series.mbox import split_mbox

_ID = re.compile(r"[^\s<>/@-][^\s<>/@]*@[^\s<>/@]*[^\s<>/@.]")
_LIMIT = 180.0
_NAME = "thread.mbox"


def message_id(spec: str) -> str:
    """The Message-ID that the user wrote, alone, in <>, or in a URL as lore's; else empty."""
    spec = spec.strip()
    if re.match(r"https?://", spec):
        parts = urllib.parse.unquote(urllib.parse.urlsplit(spec).path).split("/")
        return next((part for part in parts if _ID.fullmatch(part)), "")
    if spec.startswith("<") and spec.endswith(">"):
        spec = spec[1:-1]
    return spec if _ID.fullmatch(spec) else ""


def fetch_thread(wanted: str, b4: str, runner: Runner, scratch: Path) -> list[Source]:
    """The mails of the thread that has the mail `wanted`; `scratch` is an empty folder.

    Raises HostError where b4 is not there, or did not get that mail.
    """
    if not b4:
        raise HostError("a Message-ID is fetched with b4, which is not there", pip_install("b4"))
    argv = [b4, "--no-interactive", "mbox", "-C", "-o", str(scratch), "-n", _NAME, wanted]
    own = {name: str(scratch) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME")}
    done = runner.capture(argv, cwd=scratch, env=own, timeout=_LIMIT, check=False)
    file = next(iter(sorted(scratch.glob(f"{_NAME}*"))), None)
    data = file.read_bytes() if file else b""
    said = (done.stderr or done.stdout).strip().splitlines()
    if re.search(rb"^message-id:\s*<" + re.escape(wanted.encode()) + rb">", data, re.M | re.I):
        return [
            Source(raw, f"<{wanted}>, mail {at}", "patch")
            for at, raw in enumerate(split_mbox(data), start=1)
        ]
    raise HostError(
        f"<{wanted}> could not be fetched: no network, or no archive has it"
        + (f" (b4: {said[-1][:140]})" if said else ""),
        "save the thread as an mbox where there is network (`b4 mbox MESSAGE-ID`, or mbox.gz on "
        "lore's page of it), then: kzc import FILE",
    )

# SPDX-License-Identifier: GPL-2.0-only
"""Options that several verbs share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Tree = Annotated[
    str | None,
    typer.Option("--tree", "-t", help="A tree: name, path, git URL#ref, debian:PACKAGE[@SUITE]."),
]
Dirty = Annotated[
    bool, typer.Option("--dirty", help="Take a checkout's uncommitted changes along.")
]
Profile = Annotated[
    str | None, typer.Option("--profile", "-p", help="Kernel config: default or debug.")
]
Config = Annotated[
    list[Path] | None,
    typer.Option("--config", "-c", help="A config fragment of your own; may be repeated."),
]
Virtme = Annotated[
    bool, typer.Option("--virtme-config", help="Merge on virtme-ng's config, not on allnoconfig.")
]
Accel = Annotated[str | None, typer.Option("--accel", help="auto, kvm or tcg.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", help="Compilers at once.")]
Append = Annotated[
    list[str] | None, typer.Option("--append", help="A kernel parameter; may be repeated.")
]
Kind = Annotated[str, typer.Option("--guest", help="mini (busybox) or vng (this machine's files).")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]

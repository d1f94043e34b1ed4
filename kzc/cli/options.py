# SPDX-License-Identifier: GPL-2.0-only
"""What verbs are asked: each option that several of them share is a field of `Asked`, once.

A verb decorated with `takes(*names)` has the options of those fields, in that order after its own,
and gets them as its first argument. So an option more is a field here, and its name in the tuples
of the verbs that have it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

Kind = Annotated[str, typer.Option("--guest", help="mini (busybox) or vng (this machine's files).")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the report as one HTML file; - prints it."),
]
JUnit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML.")
]


@dataclass(frozen=True)
class Asked:
    """What the command line says, as it says it."""

    series: str = ""
    suites: tuple[str, ...] = ()
    kind: str = ""
    tree: Annotated[
        str | None,
        typer.Option(
            "--tree", "-t", help="A tree: name, path, git URL#ref, debian:PACKAGE[@SUITE]."
        ),
    ] = None
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Take a checkout's uncommitted changes along.")
    ] = False
    overlay: Annotated[
        str | None,
        typer.Option("--overlay", help="Put a series for measurement only on top: not clean."),
    ] = None
    profile: Annotated[
        str | None, typer.Option("--profile", "-p", help="Kernel config: default, debug, ...")
    ] = None
    config: Annotated[
        list[Path] | None,
        typer.Option("--config", "-c", help="A config fragment of your own; may be repeated."),
    ] = None
    virtme: Annotated[
        bool,
        typer.Option("--virtme-config", help="Merge on virtme-ng's config, not on allnoconfig."),
    ] = False
    accel: Annotated[str | None, typer.Option("--accel", help="auto, kvm or tcg.")] = None
    append: Annotated[
        list[str] | None, typer.Option("--append", help="A kernel parameter; may be repeated.")
    ] = None
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Compilers at once.")] = None
    topology: Annotated[
        str, typer.Option("--topology", help="loopback, pair, nested, or all that can be had.")
    ] = "loopback"
    host: Annotated[
        str | None, typer.Option("--host", help="The host of a pair: ssh://user@lab[:port].")
    ] = None
    accept: Annotated[
        bool, typer.Option("--accept-host-key", help="Trust a host that is not known yet.")
    ] = False
    host_kernel: Annotated[
        str | None,
        typer.Option("--host-kernel", help="Another kernel for the nested host: tree, series, ..."),
    ] = None
    guest_kernel: Annotated[
        str | None, typer.Option("--guest-kernel", help="Another kernel for the guest of a pair.")
    ] = None
    skew: Annotated[
        str | None, typer.Option("--skew", help="OLD..NEW: all four ways in which they meet.")
    ] = None
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave guests up for `kzc shell`, until Ctrl-C."),
    ] = False
    faults: Annotated[
        bool,
        typer.Option("--faults", help="Let socket calls of the tests fail (profile fault)."),
    ] = False
    fault_every: Annotated[
        list[int] | None,
        typer.Option(
            "--fault-every", min=1, help="Every N-th try fails; may be repeated, a round each."
        ),
    ] = None
    html: Html = None
    junit: JUnit = None
    stream: Annotated[
        Path | None,
        typer.Option("--stream", metavar="FILE", help="Add each outcome to FILE, as JSON lines."),
    ] = None
    bisect_run: Annotated[
        bool,
        typer.Option("--bisect-run", help="For git bisect run: 0 good, 1 bad, 125 cannot tell."),
    ] = False


SOURCE = ("tree", "dirty")
KERNEL = (*SOURCE, "profile", "config", "virtme")
GUEST = (*KERNEL, "accel", "append")
TWO_ENDS = ("topology", "host", "accept", "host_kernel", "guest_kernel", "skew")
FILES = ("html", "junit")
TEST = (
    *GUEST,
    "overlay",
    *TWO_ENDS,
    "keep",
    "faults",
    "fault_every",
    *FILES,
    "stream",
    "bisect_run",
)


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb the options of these fields of `Asked`; its first parameter gets them.

    typer reads a verb's options from its signature, so the wrapper shows it a longer one.
    """
    fields = inspect.signature(Asked, eval_str=True).parameters
    shared = [fields[name].replace(kind=inspect.Parameter.KEYWORD_ONLY) for name in names]

    def extended(verb: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(verb, eval_str=True).parameters.values()

        def called(**given: Any) -> None:
            asked = Asked(**{name: given.pop(name) for name in names})
            verb(asked, **given)

        called.__doc__, called.__name__ = verb.__doc__, verb.__name__
        shown = [*own, *shared]
        called.__annotations__ = {each.name: each.annotation for each in shown}
        vars(called)["__signature__"] = inspect.Signature(shown)
        return called

    return extended

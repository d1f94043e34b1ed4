# SPDX-License-Identifier: GPL-2.0-only
"""Single objects made with more warnings than a build has, and what of it is new in a patch.

W=1 is the compiler with more to say (and kernel-doc), C=1 adds sparse. Both change the objects'
command lines, so the next build makes them again; ccache has them by then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from kzc.errors import CommandFailed
from kzc.kernel import diagnostics
from kzc.kernel.make import Place, Shop, make
from kzc.proc import Runner
from kzc.values import Diagnostic

_PLAIN = re.compile(r"\w[\w./+-]*\.c", re.ASCII)
_COMPILED = re.compile(r"^  (?:CC|AS)\s+(?:\[M\]\s+)?(\S+\.o)$")
_PLACE_IN_TEXT = re.compile(r"\b(line |:)\d+(?::\d+)?")


def objects_of(files: Iterable[str]) -> tuple[str, ...]:
    """The objects that are made of C files (tools have Makefiles of their own), in order.

    A name that make would not take for a plain target is left out.
    """
    return tuple(
        f"{file.removesuffix('.c')}.o"
        for file in files
        if _PLAIN.fullmatch(file) and not file.startswith(("tools/", "samples/", "scripts/"))
    )


def made(objects: Iterable[str], out: Path) -> tuple[str, ...]:
    """Those that are in a build folder: the others are not of this configuration."""
    return tuple(name for name in objects if (out / name).exists())


def make_objects(
    objects: Sequence[str], place: Place, shop: Shop, runner: Runner, *, sparse: bool
) -> tuple[Diagnostic, ...]:
    """What make says of some objects with W=1 and, if asked, sparse; errors are among it.

    Each is made anew, so what it says is all there is to say. Nothing is said of an object that
    the tree does not have.
    """
    if not objects:
        return ()
    for name in objects:
        (place.out / name).unlink(missing_ok=True)
    flags = ["-k", "W=1", *(["C=1"] if sparse else [])]
    return _told([*flags, *objects], place, shop, runner)


def by_object(
    objects: Iterable[str], said: Iterable[Diagnostic]
) -> dict[str, tuple[Diagnostic, ...]] | None:
    """What was said of the source of each object; None where something is said of another file,
    for that may come from any of them."""
    sources = {f"{name.removesuffix('.o')}.c": name for name in objects}
    found: dict[str, tuple[Diagnostic, ...]] = dict.fromkeys(sources.values(), ())
    for entry in said:
        if entry.file not in sources:
            return None
        name = sources[entry.file]
        found[name] = (*found[name], entry)
    return found


def configure_all(place: Place, shop: Shop, runner: Runner) -> None:
    """Write the .config that has everything, as the tree is now. Raises CommandFailed.

    Without WERROR, or the first warning would hide what sparse has to say of the same file.
    """
    place.out.mkdir(parents=True, exist_ok=True)
    wishes = place.out / "kzc.config"
    wishes.write_text("# CONFIG_WERROR is not set\n# CONFIG_GCC_PLUGINS is not set\n")
    for _ in make([f"KCONFIG_ALLCONFIG={wishes}", "allmodconfig"], place, shop, runner):
        pass


def compiled(log: Iterable[str]) -> tuple[str, ...]:
    """The objects that a build compiled, from what make said."""
    matches = (_COMPILED.match(line.rstrip()) for line in log)
    return tuple(dict.fromkeys(match[1] for match in matches if match))


def make_again(
    objects: Iterable[str], place: Place, shop: Shop, runner: Runner
) -> tuple[Diagnostic, ...]:
    """What a plain build says that has to make these objects anew, as far as it gets."""
    for name in objects:
        (place.out / name).unlink(missing_ok=True)
    return _told(["-k", "bzImage"], place, shop, runner)


def new_ones(after: Iterable[Diagnostic], before: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """What `after` has and `before` has not, by file and text: lines move with every patch.

    Numbers of lines inside of a text do not count either. Of a text that is there twice and was
    there once, the last one is new.
    """
    known = Counter(_name(entry) for entry in before)
    found = []
    for entry in after:
        name = _name(entry)
        if known[name]:
            known[name] -= 1
        else:
            found.append(entry)
    return tuple(found)


def _name(entry: Diagnostic) -> tuple[str, str, str]:
    return entry.file, entry.kind, _PLACE_IN_TEXT.sub(r"\1N", entry.text)


def _told(words: Sequence[str], place: Place, shop: Shop, runner: Runner) -> tuple[Diagnostic, ...]:
    lines: list[str] = []
    with suppress(CommandFailed):
        for line in make(words, place, shop, runner):
            lines.append(line)
    return diagnostics.parse(lines, str(place.src))

# SPDX-License-Identifier: GPL-2.0-only
"""Numbers of the kernel's interface to programs that a series adds and that are taken. Pure.

git merges two `#define`s with the same value without a word. Only what is new is asked, so what a
tree has is never complained of. Which constants share a number space is told by the header's own
form: socket options and cmsg types of an architecture are one; so are ioctls of one direction and
type in a header, the enumerators of an enum, and paragraphs of macros with the same first word (a
paragraph with one second word throughout: with the same two), as long as no value comes twice:
where one does, another space begins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kzc.series.constants import Constant, read_constants

GENERIC_SOCKET = "include/uapi/asm-generic/socket.h"
_ARCH_SOCKET = re.compile(r"arch/([^/]+)/include/uapi/asm/socket\.h")
_WATCHED = re.compile(
    r"(include/uapi/.+|arch/[^/]+/include/uapi/.+|include/linux/socket)\.h", re.ASCII
)
_SOCKET_NAME = re.compile(r"(SO|SCM)_\w+")
_OWN = re.compile(r"(?m)^\s*#\s*define\s+SO_DEBUG\b")
_Texts = Mapping[str, str]
# one value in so many may come twice in a family (MSG_TRYHARD is MSG_DONTROUTE, both 4)
_RARE = 8


@dataclass(frozen=True)
class Collision:
    """`new` is what the series adds, `taken` what has the value already or is added too."""

    new: Constant
    taken: Constant

    def __str__(self) -> str:
        new, taken = self.new, self.taken
        return (
            f"{new.file}:{new.line}: {new.name} {new.shown} collides with "
            f"{taken.name} {taken.shown} ({taken.file}:{taken.line})"
        )


@dataclass(frozen=True)
class Lacking:
    """A socket option of the generic header that architectures with their own do not get."""

    constant: Constant
    architectures: tuple[str, ...]


def watched(path: str) -> bool:
    """Whether programs see the numbers of that header; MSG_ flags are such too."""
    return _WATCHED.fullmatch(path) is not None


def is_socket_header(path: str) -> bool:
    """Whether it is one of those that number socket options."""
    return path == GENERIC_SOCKET or _ARCH_SOCKET.fullmatch(path) is not None


def find_collisions(before: _Texts, after: _Texts) -> tuple[Collision, ...]:
    """New constants with a value that another of their family has; each pair once.

    Both map paths to texts, of the headers that the series touches; a new header is not in
    `before`.
    """
    found: list[Collision] = []
    for file in sorted(after):
        constants = read_constants(file, after[file])
        names = {(old.name, old.value) for old in read_constants(file, before.get(file, ""))}
        new = [each for each in constants if (each.name, each.value) not in names]
        fresh = {each.name for each in new}
        old = [each for each in constants if each.name not in fresh]
        for index, each in enumerate(new):
            rivals = [*family_of(each, constants, old, fresh), *_fellows(each, new[:index])]
            taken = next((rival for rival in rivals if _collide(each, rival)), None)
            if taken is not None:
                found.append(Collision(each, taken))
    return tuple(found)


def find_lacking(before: _Texts, after: _Texts) -> tuple[Lacking, ...]:
    """New generic socket options that architectures lack; `after` has all socket headers."""
    old = {each.name for each in _options(GENERIC_SOCKET, before)}
    own = {
        match[1]: {each.name for each in _options(path, after)}
        for path in sorted(after)
        if (match := _ARCH_SOCKET.fullmatch(path)) and _OWN.search(after[path])
    }
    found = []
    for option in _options(GENERIC_SOCKET, after):
        lacking = tuple(arch for arch, names in own.items() if option.name not in names)
        if option.name not in old and lacking:
            found.append(Lacking(option, lacking))
    return tuple(found)


def family_of(
    new: Constant, constants: Sequence[Constant], old: Sequence[Constant], fresh: set[str]
) -> list[Constant]:
    """Those of `old` that share a number space with `new`, which `constants` hold in order.

    `fresh` are the names of all that is new.
    """
    if _is_option(new):
        return [each for each in old if _is_option(each)]
    alike = [each for each in old if each.space == new.space]
    if new.space != "macro":
        return alike
    alike = [each for each in alike if each.prefix == new.prefix]
    joined = _joined(new, constants, alike, fresh)
    twice = len(joined) - len({each.value for each in joined})
    # of registers and their fields, one below the other, every second value comes twice
    return [] if twice * _RARE > len(joined) else joined


def _joined(
    new: Constant, constants: Sequence[Constant], alike: Sequence[Constant], fresh: set[str]
) -> list[Constant]:
    words = _common_words([new, *alike]) + 1
    groups = _groups(alike, words)
    beside = [group for group in groups if any(e.paragraph == new.paragraph for e in group)]
    if beside:
        return beside[0]
    stem = _stem(new, words)
    if all(_stem(each, words) != stem for each in alike):
        paragraph = [e for e in constants if e.name in fresh and e.paragraph == new.paragraph]
        with_it = [each for each in paragraph if _stem(each, words) == stem]
        # a new second word counts from anew: several of it, or the first number or flag
        if len(with_it) > 1 or new.value in (0, 1):
            return []
    kin = [group for group in groups if all(_stem(e, words) == stem for e in group)]
    mixed = [group for group in groups if len({_stem(each, words) for each in group}) > 1]
    before = [group for group in kin or mixed if group[0].line < new.line]
    return before[-1] if before else []


def _options(file: str, texts: _Texts) -> list[Constant]:
    return [each for each in read_constants(file, texts.get(file, "")) if _is_option(each)]


def _is_option(constant: Constant) -> bool:
    named = _SOCKET_NAME.fullmatch(constant.name) is not None
    return named and constant.space == "macro" and is_socket_header(constant.file)


def _fellows(new: Constant, others: Iterable[Constant]) -> list[Constant]:
    """New ones that stand with it; of a new paragraph all with its first word."""
    return [
        each
        for each in others
        if (_is_option(new) and _is_option(each))
        or (each.space == new.space != "macro")
        or (
            each.space == new.space and (each.paragraph, each.prefix) == (new.paragraph, new.prefix)
        )
    ]


def _collide(new: Constant, other: Constant) -> bool:
    return new.value == other.value and new.name != other.name and not new.excludes(other)


def _groups(alike: Sequence[Constant], words: int) -> list[list[Constant]]:
    """Paragraphs put together as long as no value comes twice.

    Those that have one stem throughout (IP_PMTUDISC_) only with others of that stem.
    """
    found: dict[str, list[list[Constant]]] = {}
    counts = Counter(_stem(each, words) for each in alike)
    for paragraph in sorted({each.paragraph for each in alike}):
        members = [each for each in alike if each.paragraph == paragraph]
        stems = {_stem(each, words) for each in members}
        stem = stems.pop() if len(stems) == 1 else ""
        groups = found.setdefault(stem if counts[stem] > 1 else "", [])
        taken = {each.value for each in groups[-1]} if groups else set()
        if groups and not taken & {each.value for each in members}:
            groups[-1] += members
        else:
            groups.append(members)
    return [group for groups in found.values() for group in groups]


def _stem(constant: Constant, words: int) -> str:
    """The first words of a name: `IP_PMTUDISC` of IP_PMTUDISC_WANT are two."""
    return "_".join(constant.name.lstrip("_").split("_")[:words])


def _common_words(constants: Sequence[Constant]) -> int:
    """With how many words all names begin; 2 for SO_EE_ORIGIN_NONE and SO_EE_CODE_TXTIME."""
    names = [each.name.lstrip("_").split("_")[:-1] for each in constants]
    columns = zip(*names, strict=False)
    return max(1, next((at for at, column in enumerate(columns) if len(set(column)) > 1), 1))

# SPDX-License-Identifier: GPL-2.0-only
"""Whether a patch's mail is as Documentation/process/submitting-patches.rst wants it. Pure.

A problem is what a maintainer sends back; a hint is what he may live with. checkpatch looks at
the code; what is asked here is who signs, what is named, and whether the words can be kept.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import PurePosixPath

from kzc.series.diff import find_diff
from kzc.values import Patch

LONGEST = 75
_PREFIX = re.compile(r"^(?P<prefix>[^\s:][^:]{0,60}(?::\s?[^\s:]{1,40})*?): \S")
_TRAILER = re.compile(
    r"^(?P<key>[A-Za-z][A-Za-z-]*-[Bb]y|Fixes|Link|Closes|Cc|Change-Id|[A-Z][\w-]*"
    r"[Ii]d): ?(?P<value>.*)$"
)
_FIXES = re.compile(r'^[0-9a-f]{12,40} \("[^"].*"\)$')
_ADDRESS = re.compile(r"^https?://\S+(?: +(?:#.*|\[\d+\]))?$")
_QUOTED = re.compile(r"^(?:>+ ?\S.*|On .{10,200} wrote:)$")
_WORD = re.compile(r"[a-z0-9]+")
_OTHER_NAMES = {
    "Documentation": {"doc", "docs", "documentation", "dt", "bindings"},
    "tools/testing": {"selftests", "selftest", "kselftest", "test", "tests"},
    "include/net": {"net", "sock", "tcp", "udp", "ip"},
    "include/linux": {"linux", "net"},
    "include/uapi": {"uapi", "net"},
    "net": {"net", "sock", "socket", "tcp", "udp"},
    "fs": {"vfs"},
    "arch": {"arch", "treewide"},
}


@dataclass(frozen=True)
class Problem:
    """One remark in words; a `hint` alone is no failure."""

    text: str
    hint: bool = False


def lint(patch: Patch, *, tags: str = "", sender: str = "") -> tuple[Problem, ...]:
    """All that is to be said of a mail.

    `tags` are the words in the brackets of its subject and `sender` is the From of the mail as it
    was sent, where they are known: a Patch has neither.
    """
    mail = _read(patch)
    found = [problem for rule in _RULES for problem in rule(mail)]
    if sender and mail.signers and mail.signers[-1] != _address(sender):
        text = f"{_address(sender)} sends it, and the last Signed-off-by is another's"
        found.append(Problem(text, hint=True))
    networking = any(file.startswith(("net/", "drivers/net/")) for file in patch.files)
    if tags and networking and not {"net", "next", "bpf", "rfc"} & set(_words(tags)):
        text = "a patch for networking names its tree: [PATCH net] or [PATCH net-next]"
        found.append(Problem(text, hint=True))
    return tuple(found)


@dataclass(frozen=True)
class _Mail:
    patch: Patch
    text: tuple[str, ...]
    trailers: tuple[tuple[str, str], ...]

    @property
    def signers(self) -> list[str]:
        return [_address(who) for key, who in self.trailers if key == "signed-off-by"]


def _read(patch: Patch) -> _Mail:
    body = email.message_from_bytes(patch.body, policy=email.policy.compat32).get_payload(
        decode=True
    )
    raw = body if isinstance(body, bytes) else b""
    message = raw[: len(raw) - len(find_diff(raw))].decode(errors="replace")
    lines = re.split(r"^---\s*$", message, maxsplit=1, flags=re.MULTILINE)[0].strip().split("\n")
    if lines[0].startswith("From: "):
        del lines[0]
    matches = [(line, _TRAILER.match(line)) for line in map(str.rstrip, lines)]
    text = tuple(line for line, match in matches if match is None)
    trailers = tuple((match["key"].lower(), match["value"]) for _, match in matches if match)
    return _Mail(patch, text, trailers)


def _subject(mail: _Mail) -> Iterator[Problem]:
    title = mail.patch.subject
    match = _PREFIX.match(title)
    if match is None:
        yield Problem("the subject has no prefix that says what it is about, like `vsock: `")
    elif not _fits(match["prefix"], mail.patch.files):
        files = ", ".join(mail.patch.files[:3])
        text = f"the prefix {match['prefix']!r} does not suggest what it touches ({files})"
        yield Problem(text, hint=True)
    if title.endswith("."):
        yield Problem("the subject ends with a period", hint=True)
    if len(title) > LONGEST:
        text = f"the subject has {len(title)} characters, more than {LONGEST}"
        yield Problem(text, hint=True)


def _fits(prefix: str, files: tuple[str, ...]) -> bool:
    """Whether a word of the prefix is in a touched path, or is what people call that folder."""
    known: set[str] = set()
    for file in files:
        known.update(_words(str(PurePosixPath(file).with_suffix(""))))
        for folder, names in _OTHER_NAMES.items():
            if file.startswith(f"{folder}/"):
                known |= names
    return bool(known & set(_words(prefix))) or not known


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _signed(mail: _Mail) -> Iterator[Problem]:
    author = _address(mail.patch.author)
    if not mail.signers:
        yield Problem("there is no Signed-off-by")
    elif author not in mail.signers:
        yield Problem(f"its author, {mail.patch.author}, has not signed it off")


def _named(mail: _Mail) -> Iterator[Problem]:
    for key, value in mail.trailers:
        if key == "fixes" and not _FIXES.match(value):
            form = '`Fixes: 123456789abc ("title of that commit")`'
            yield Problem(f"`Fixes: {value}` is not of the form {form}")
        if key in ("link", "closes") and not _ADDRESS.match(value):
            yield Problem(f"`{key.capitalize()}: {value}` is no address")
        if key == "change-id":
            yield Problem("it carries a Change-Id, which means nothing outside of Gerrit")


def _body(mail: _Mail) -> Iterator[Problem]:
    if not any(line.strip() for line in mail.text):
        yield Problem("the commit message is empty: nobody will know why this was done")
    quoted = [line for line in mail.text if _QUOTED.match(line)]
    if quoted:
        text = f"the commit message quotes a mail: {quoted[0]}"
        yield Problem(text, hint=True)


_RULES: tuple[Callable[[_Mail], Iterator[Problem]], ...] = (_subject, _signed, _named, _body)


def _address(who: str) -> str:
    return parseaddr(who)[1].lower()

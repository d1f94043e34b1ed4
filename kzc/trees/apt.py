# SPDX-License-Identifier: GPL-2.0-only
"""apt as a plain user: find and download a package, of another suite of the same mirror too.

Nothing of the system is changed. Another suite gets lists, cache and sources of its own under
kzc's cache, built from the addresses apt is already set up with. So does the machine's own suite
where the machine's lists are too old, or were never fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kzc.errors import CommandFailed, HostError, UsageError
from kzc.proc import Runner
from kzc.trees.repos import locked, write_whole

_T = TypeVar("_T")

_TARGETS = (
    "apt-get",
    "indextargets",
    "--no-release-info",
    "--format",
    "$(REPO_URI) $(COMPONENT)",
    "Created-By: Packages",
)

# hooks of the system's apt are made for root; the sandbox user cannot enter a user's cache
_RULES = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "root";
Acquire::Retries "2";
Acquire::Languages "none";
"""

_LISTS = """\
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
"""

_SOURCES = """\
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
"""

_ENV = {"LC_ALL": "C"}

# where a Debian that names its keys per source keeps them
_KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
)


class NotDownloaded(HostError):
    """The archive did not give what the lists have."""


@dataclass(frozen=True)
class Mirror:
    """One archive apt is set up with."""

    uri: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """A package as the lists describe it; `size` in bytes."""

    name: str
    version: str
    size: int


@dataclass(frozen=True)
class Apt:
    """apt with a configuration file of kzc's."""

    runner: Runner
    config: Path

    def show(self, name: str) -> Package | None:
        """The version apt would install, None when its lists have no such package."""
        argv = ["apt-cache", "-c", str(self.config), "show", "--no-all-versions", name]
        done = self.runner.capture(argv, env=_ENV, check=False)
        return parse_show(name, done.stdout.splitlines()) if done.code == 0 else None

    def known(self, name: str) -> Package:
        """The same. Raises UsageError when its lists have no such package."""
        found = self.show(name)
        if found is None:
            raise UsageError(
                f"apt knows no package {name}",
                f"look with `apt-cache search ^linux-`, or name another suite: debian:{name}@SUITE",
            )
        return found

    def update(self) -> str:
        """Fetch the lists; returns what apt complained of, empty when all went well."""
        argv = ["apt-get", "-c", str(self.config), "update", "-q", "--error-on=any"]
        done = self.runner.capture(argv, env=_ENV, check=False)
        return (done.stderr.strip() or f"status {done.code}") if done.code else ""

    def download(self, package: Package, folder: Path) -> Path:
        """Fetch the .deb into `folder`. Raises NotDownloaded saying what apt said."""
        name = f"{package.name}={package.version}"
        argv = ["apt-get", "-c", str(self.config), "download", "-q", name]
        try:
            self.runner.capture(argv, cwd=folder, env=_ENV)
        except CommandFailed as failed:
            raise NotDownloaded(
                f"cannot download {name}: {failed.tail}", "is the network up? `apt-get update`?"
            ) from failed
        return next(folder.glob("*.deb"))


def with_apt(
    runner: Runner, state: Path, suite: str, package: str, use: Callable[[Apt, Package], _T]
) -> _T:
    """What `use` makes of `package` and an apt that knows it, of the machine's own suite if `suite`
    is empty; once more with fresh lists where the archive has moved on since the machine's were
    fetched. kzc's own lists are kept in `state`.

    Raises UsageError where no archive has the package, HostError where none could be asked.
    """
    with locked(state):
        if suite:
            apt, found = _other_suite(runner, state, suite, package)
        else:
            apt, found = _own_suite(runner, state, package)
    try:
        return use(apt, found)
    except NotDownloaded:
        if suite:
            raise
        with locked(state):
            apt, fresh = _fetched_anew(_own_lists(runner, state), package)
        if fresh == found:
            raise
        return use(apt, fresh)


def _own_suite(runner: Runner, folder: Path, package: str) -> tuple[Apt, Package]:
    """apt as the system has it set up: of its lists and those of kzc's own the newer ones."""
    config = folder / "apt.conf"
    write_whole(config, _RULES.encode())
    system, own = Apt(runner, config), _own_lists(runner, folder)
    known, fetched = system.show(package), own.show(package)
    if fetched and (known is None or _is_newer(runner, fetched, known)):
        return own, fetched
    return (system, known) if known else _fetched_anew(own, package)


def _is_newer(runner: Runner, one: Package, other: Package) -> bool:
    argv = ["dpkg", "--compare-versions", one.version, "gt", other.version]
    return runner.capture(argv, check=False).code == 0


def _own_lists(runner: Runner, folder: Path, sources: str = "") -> Apt:
    """apt with lists in `folder`, which may not have been fetched; of the system's sources unless
    others are given."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    config = folder / "fresh.conf"
    write_whole(config, (_RULES + (_LISTS + sources).format(folder=folder)).encode())
    return Apt(runner, config)


def _fetched_anew(own: Apt, package: str) -> tuple[Apt, Package]:
    complaint = own.update()
    found = own.show(package)
    if found is None and complaint:
        raise HostError(
            f"apt knows no package {package}, and not all lists could be fetched: {complaint}",
            "is the network up?",
        )
    return own, found or own.known(package)


def _other_suite(runner: Runner, folder: Path, suite: str, package: str) -> tuple[Apt, Package]:
    """apt for one suite, its lists up to date; the first mirror that has the package is taken.

    Raises HostError with what each mirror answered.
    """
    apt = _own_lists(runner, folder, _SOURCES)
    answers = []
    reached = False
    for mirror in mirrors(runner):
        complaint = _update(apt, folder, mirror, suite)
        reached = reached or not complaint
        if not complaint and (found := apt.show(package)):
            return apt, found
        answers.append(f"{mirror.uri}: {complaint or f'has no {package} in {suite}'}")
    told = "\n".join(answers) or "apt is set up with no archive at all"
    blame = UsageError if reached else HostError
    raise blame(f"no {package} in {suite}:\n{told}", f"try: apt-cache search ^{package}")


def _update(apt: Apt, folder: Path, mirror: Mirror, suite: str) -> str:
    complaint = ""
    for keyring in ("", *(str(path) for path in _KEYRINGS if path.is_file())):
        write_whole(folder / "sources.list", source_line(mirror, suite, keyring).encode())
        complaint = apt.update()
        if not re.search(r"NO_PUBKEY|not signed|OpenPGP", complaint):
            break
    return complaint


def mirrors(runner: Runner) -> tuple[Mirror, ...]:
    """The archives apt is set up with, in its order."""
    return parse_mirrors(runner.capture(_TARGETS, env=_ENV).stdout.splitlines())


def parse_mirrors(lines: Iterable[str]) -> tuple[Mirror, ...]:
    """Fold lines `URI COMPONENT` into one Mirror per URI."""
    found: dict[str, list[str]] = {}
    for line in lines:
        uri, _, component = line.strip().partition(" ")
        if uri and component and component not in found.setdefault(uri, []):
            found[uri].append(component)
    return tuple(Mirror(uri, tuple(parts)) for uri, parts in found.items())


def source_line(mirror: Mirror, suite: str, keyring: str = "") -> str:
    """The line of a sources.list for `suite` of that mirror, checked with `keyring` if given."""
    option = f"[signed-by={keyring}] " if keyring else ""
    return f"deb {option}{mirror.uri} {suite} {' '.join(mirror.components)}\n"


def parse_show(name: str, lines: Sequence[str]) -> Package | None:
    """The package in the output of `apt-cache show`, None if it has no version."""
    fields = dict(line.split(": ", 1) for line in lines if ": " in line and line[0] != " ")
    if "Version" not in fields:
        return None
    return Package(name, fields["Version"], int(fields.get("Size", 0)))

# SPDX-License-Identifier: GPL-2.0-only
"""apt as a plain user: find and download a package, of another suite of the same mirror too.

Nothing of the system is changed: another suite gets lists, cache and sources of its own under
kzc's cache, built from the addresses apt is already set up with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import CommandFailed, HostError, UsageError
from kzc.proc import Runner
from kzc.trees.repos import write_whole

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

_STATE = """\
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
"""

_ENV = {"LC_ALL": "C"}

# where a Debian that names its keys per source keeps them
_KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
)


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

    def update(self) -> str:
        """Fetch the lists; returns what apt complained of, empty when all went well."""
        argv = ["apt-get", "-c", str(self.config), "update", "-q", "--error-on=any"]
        done = self.runner.capture(argv, env=_ENV, check=False)
        return (done.stderr.strip() or f"status {done.code}") if done.code else ""

    def download(self, package: Package, folder: Path) -> Path:
        """Fetch the .deb into `folder`. Raises HostError saying what apt said."""
        name = f"{package.name}={package.version}"
        argv = ["apt-get", "-c", str(self.config), "download", "-q", name]
        try:
            self.runner.capture(argv, cwd=folder, env=_ENV)
        except CommandFailed as failed:
            raise HostError(
                f"cannot download {name}: {failed.tail}", "is the network up? `apt-get update`?"
            ) from failed
        return next(folder.glob("*.deb"))


def own_suite(runner: Runner, folder: Path) -> Apt:
    """apt as the system has it set up, lists included."""
    config = folder / "apt.conf"
    write_whole(config, _RULES.encode())
    return Apt(runner, config)


def other_suite(runner: Runner, folder: Path, suite: str, package: str) -> Apt:
    """apt for one suite, its lists up to date; the first mirror that has the package is taken.

    Raises HostError with what each mirror answered.
    """
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    config = folder / "apt.conf"
    write_whole(config, (_RULES + _STATE.format(folder=folder)).encode())
    apt = Apt(runner, config)
    answers = []
    reached = False
    for mirror in mirrors(runner):
        complaint = _update(apt, folder, mirror, suite)
        reached = reached or not complaint
        if not complaint and apt.show(package):
            return apt
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

# SPDX-License-Identifier: GPL-2.0-only
"""Suites between two kernels: which kernel on which end, on which hosts, in one table.

Each kernel that is asked for is made once; a first-level guest is booted once per host kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kzc.errors import HostError, UsageError
from kzc.hosts.address import Address
from kzc.jobs import kernels, pairs, topology
from kzc.jobs.choice import Choice
from kzc.jobs.evidence import Symbols
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.pairs import Programs
from kzc.jobs.topology import Side
from kzc.jobs.workshop import Workshop
from kzc.suites.manifest import Suite
from kzc.values import KernelBuild, Outcome, Stage, Verdict

Ends = tuple[Choice | None, Choice | None]


@dataclass(frozen=True)
class Asked:
    """Topologies (pair, nested) and kernels (host, guest) in order; None is the run's own kernel.

    With `optional` a topology that cannot be had is left out and said, not an error.
    """

    topologies: tuple[str, ...] = ()
    address: Address | None = None
    accept: bool = False
    ends: tuple[Ends, ...] = ((None, None),)
    optional: bool = False


@dataclass(frozen=True)
class Made:
    """A kernel with the programs of each suite and the repository that its tree is in; `label` is
    empty for the run's own."""

    label: str
    kernel: KernelBuild
    programs: Mapping[str, Path]
    repo: Path
    modules: Path | None = None
    not_vng: str = ""


@dataclass
class Job:
    """One run's work between two ends; `made` by word, "" for the run's own kernel."""

    shopfloor: Workshop
    asked: Asked
    wanted: Wanted
    plan: Plan
    suites: Sequence[Suite]
    made: dict[str, Made] = field(default_factory=dict)

    def run(self) -> None:
        """All topologies, all kernels, all suites that have pairs; every outcome is kept."""
        for name in self.asked.topologies:
            for host in dict.fromkeys(host for host, _ in self.asked.ends):
                guests = [guest for above, guest in self.asked.ends if above == host]
                self._on_host(name, host, guests)

    def _on_host(self, name: str, host: Choice | None, guests: Sequence[Choice | None]) -> None:
        try:
            made = self._made(host)
            others = [self._made(guest) for guest in guests]
            if made is None:
                return
            with self.shopfloor.places.place(name) as place:
                side = place.enter(self._side(name, made))
                for guest in others:
                    if side is not None and guest is not None:
                        self._suites(side, made, guest)
        except HostError as error:
            if not self.asked.optional:
                raise
            self.shopfloor.keep(topology.left_out(name, error))

    def _side(self, name: str, host: Made) -> AbstractContextManager[Side | None]:
        if name == "nested":
            if host.not_vng:
                raise UsageError(f"{host.label} cannot be a first-level guest: {host.not_vng}")
            memory = max((suite.memory_mib for suite in self.suites), default=512)
            label = f"nested {host.label}".strip()
            symbols = Symbols(host.kernel, host.repo)
            return topology.nested(self.shopfloor, self.plan, symbols, label, memory=memory)
        if self.asked.address is not None:
            return _optional(
                topology.over_ssh(
                    self.shopfloor, self.plan, self.asked.address, accept=self.asked.accept
                )
            )
        return _optional(topology.this_machine(self.shopfloor, self.plan))

    def _suites(self, side: Side, host: Made, guest: Made) -> None:
        for suite in self.suites:
            name = f"{suite.name} {side.topology}"
            if len(self.asked.ends) > 1 or host.label or guest.label:
                name += f" {host.label or 'own'}/{guest.label or 'own'}"
            if not suite.pairs:
                reason = "this suite has nothing that runs between two kernels"
                self.shopfloor.keep(Outcome(Stage.TEST, name, Verdict.SKIP, reason=reason))
                continue
            if suite.name not in host.programs or suite.name not in guest.programs:
                continue  # that its programs do not build was kept when they were made
            meeting = pairs.Meeting(
                self.shopfloor,
                side,
                pairs.Guest(guest.kernel, guest.modules),
                suite,
                Programs(host.programs[suite.name], guest.programs[suite.name]),
                plan=self.plan,
                name=name,
                symbols={
                    "guest": Symbols(guest.kernel, guest.repo),
                    **({"host": Symbols(host.kernel, host.repo)} if side.first else {}),
                },
            )
            if len(meeting.test()) == 1:
                reason = "the guest did not come up"
                self.shopfloor.keep(Outcome(Stage.TEST, name, Verdict.NOT_RUN, reason=reason))

    def _made(self, choice: Choice | None) -> Made | None:
        word = choice.word if choice else ""
        if word not in self.made and choice is not None:
            made = self._make(choice)
            if made is None:
                return None
            self.made[word] = made
        return self.made[word]

    def _make(self, choice: Choice) -> Made | None:
        """Build what was chosen; None when it does not apply or build, which is kept."""
        tree = choice.tree
        source: Source | None = Source(tree, tree.commit, tree.tree_id)
        if choice.series is not None:
            source = kernels.apply(self.shopfloor, tree, choice.series)
        if source is None:
            return None
        programs = kernels.make_tests(self.shopfloor, source, self.suites)
        if choice.ready is not None:
            ready = choice.ready
            folder = Path(ready.kernel.folder)
            if folder.is_relative_to(self.shopfloor.settings.cache):
                self.shopfloor.places.use(folder)
            known = (ready.kernel, programs, tree.repo, ready.modules, ready.not_vng)
            return Made(choice.word, *known)
        built = kernels.make_kernel(self.shopfloor, source, self.wanted)
        return Made(choice.word, built, programs, tree.repo) if built else None


@contextmanager
def _optional(side: AbstractContextManager[Side]) -> Iterator[Side | None]:
    with side as found:
        yield found

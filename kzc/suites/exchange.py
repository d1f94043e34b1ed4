# SPDX-License-Identifier: GPL-2.0-only
"""One server on one end, one client on the other, until both have ended; neither waits for ever.

The client starts when the server listens. When the client ended badly the server gets a short
grace and is killed; how the server ended is known from `Serving.finish`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from kzc.suites.fold import DIED, GONE
from kzc.suites.lines import unmarked
from kzc.suites.pair import End
from kzc.values import Answer, Ended, Limits

_LISTEN = 20  # seconds for a server to listen
_CALM = 30  # seconds for a server whose client ended well
_GRACE = 5  # seconds for one whose client did not
_POLLS = 10  # in a second
_TAKEN = 3


class State(StrEnum):
    """How far it came before the client."""

    TALKED = "talked"
    TAKEN = "taken"  # somebody else has the control port
    ENDED = "ended"  # the server had ended before it listened
    DEAF = "deaf"  # the server never listened
    UNKNOWN = "unknown"  # its end did not say


@dataclass(frozen=True)
class Texts:
    """Shell texts for the server's and the client's end, complete; `listens`: the TCP port on
    which the server has to listen before the client starts, 0 for none."""

    server: str
    client: str
    listens: int


@dataclass(frozen=True)
class Exchange:
    """What both ends left. `client` is None when it was never started, `server` too."""

    state: State
    client: Answer | None
    server: Answer | None
    asked: Answer
    """The last word of the server's end before the client started."""


def exchange(server: End, client: End, texts: Texts, limits: Limits, factor: float) -> Exchange:
    """Let the two talk. `factor` is what seconds are multiplied with; `limits` already are."""
    alive = f'"${{TMPDIR:-/tmp}}/kzc-serving-{secrets.token_hex(8)}"'
    quick = Limits(20, 30).scaled(factor)
    asked = server.run(_free(alive, texts.listens), quick)
    if asked.ended is not Ended.EXIT or asked.status:
        state = State.TAKEN if asked.status == _TAKEN else State.UNKNOWN
        return Exchange(state, None, None, asked)
    text = f"( {texts.server}\n)\nstatus=$?\nrm -f {alive}\nexit $status"
    with server.serve(text) as serving:
        if texts.listens:
            polls = int(_LISTEN * factor * _POLLS)
            wait = Limits(2 * _LISTEN, 2 * _LISTEN).scaled(factor)
            asked = server.run(_until_it_listens(alive, texts.listens, polls), wait)
        if asked.ended is Ended.EXIT and asked.status == 0:
            said = client.run(texts.client, limits)
            good = said.ended is Ended.EXIT and said.status == 0
            served = serving.finish((_CALM if good else _GRACE) * factor)
            state = State.TALKED
        else:
            said = None
            served = serving.finish(0 if asked.status == 1 else _GRACE * factor)
            state = _state(asked)
    if served.ended is Ended.TOTAL:
        # what was killed could not take its file with it
        server.run(f"rm -f {alive}", quick)
    return Exchange(state, said, served, asked)


def _state(asked: Answer) -> State:
    if asked.ended is not Ended.EXIT:
        return State.UNKNOWN
    return State.ENDED if asked.status == 2 else State.DEAF


def _socket(port: int) -> str:
    """Shell text that is true when a TCP socket listens on the port."""
    return f"grep -q ':{port:04X} 0*:0000 0A' /proc/net/tcp /proc/net/tcp6 2>/dev/null"


def _free(alive: str, port: int) -> str:
    """The file says that the server runs: it is there from before its start to its end."""
    taken = f"{_socket(port)} && exit {_TAKEN}\n" if port else ""
    return f"{taken}: > {alive}"


def _until_it_listens(alive: str, port: int, polls: int) -> str:
    return (
        f"for _ in $(seq {polls}); do\n[ -e {alive} ] || exit 2\n"
        f"{_socket(port)} && exit 0\nsleep 0.1\ndone\nexit 1"
    )


def compose(server: End, client: End, found: Exchange) -> tuple[list[str], int | None]:
    """The text for a parser, and the worse status; None when one of both did not end by itself."""
    good = found.client is not None and found.client.status == 0
    client_lines, client_status = _side(client, found.client, killed=False)
    server_lines, server_status = _side(server, found.server, killed=not good)
    statuses = (client_status, server_status)
    text = [*client_lines, "=== server", *server_lines]
    return text, None if None in statuses else max(status or 0 for status in statuses)


def _side(end: End, answer: Answer | None, *, killed: bool) -> tuple[list[str], int | None]:
    if answer is None:
        return [], 0
    lines = [unmarked(line) for line in answer.output]
    if answer.ended is Ended.EXIT:
        return [*lines, f"=== status {answer.status}"], answer.status
    if answer.ended is Ended.TOTAL and killed:
        lines += [f"killed {answer.seconds:.0f} s after its peer had ended", "=== status 1"]
        return lines, 1
    both = answer.ended in {Ended.HOST, Ended.LOST}
    died = answer.ended in GONE and (both or DIED[answer.ended] == end.name)
    return [*lines, *(["=== died"] if died else [])], None


_DEATHS = (
    Ended.LOST,
    Ended.HOST,
    Ended.PANIC,
    Ended.GONE,
    Ended.KILLED,
    Ended.STALLED,
)


def cut(server: End, client: End, found: Exchange) -> tuple[Ended, float, str]:
    """How the talk was cut: the worst end, seconds until then, and the end that did not answer."""
    answers = [answer for answer in (found.client, found.server, found.asked) if answer]
    for ended in _DEATHS:
        for answer in answers:
            if answer.ended is ended:
                return ended, answer.seconds, ""
    for end, waited in ((client, found.client), (server, found.asked)):
        if waited and waited.ended is not Ended.EXIT:
            return waited.ended, waited.seconds, end.name
    good = found.client is not None and found.client.status == 0
    if found.server and found.server.ended is not Ended.EXIT and good:
        return found.server.ended, found.server.seconds, server.name
    return Ended.EXIT, 0.0, ""


def stuck(found: Exchange, end: End, client: End) -> bool:
    """True when a command in the foreground of `end` did not end: nothing more can run there."""
    answer = found.client if end is client else found.asked
    return answer is not None and answer.ended is not Ended.EXIT

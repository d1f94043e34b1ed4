# SPDX-License-Identifier: GPL-2.0-only
"""What one callback forgets is not called, though its event had come in the same turn."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from kzc.guest.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    with closing(Loop()) as made:
        yield made


class Ready:
    """A socket that can be read, and that counts how often it was called."""

    def __init__(self, stack: ExitStack, loop: Loop) -> None:
        self.end, other = map(stack.enter_context, socket.socketpair())
        self.other = other
        self.calls = 0
        self.then: Callable[[], object] = lambda: None
        loop.watch(self.end, self.act)
        other.send(b"x")

    def act(self) -> None:
        self.calls += 1
        self.end.recv(1)
        self.then()


def test_one_that_was_forgotten_or_closed_in_the_same_turn_is_not_called(loop: Loop) -> None:
    with ExitStack() as stack:
        both = [Ready(stack, loop), Ready(stack, loop)]

        def drop(other: Ready, close: bool) -> None:
            loop.forget(other.end)
            if close:
                other.end.close()

        # whichever is called first drops the other
        both[0].then = lambda: drop(both[1], True)
        both[1].then = lambda: drop(both[0], True)
        loop.turn(1)
        assert [each.calls for each in both] in ([1, 0], [0, 1])
        loop.turn(0)
        assert sum(each.calls for each in both) == 1


def test_the_next_owner_of_a_number_is_not_called_for_the_last_one_s_event(loop: Loop) -> None:
    called: list[str] = []
    with ExitStack() as stack:
        both = [Ready(stack, loop), Ready(stack, loop)]
        reading, writing = os.pipe()
        stack.callback(os.close, writing)

        def swap(other: Ready) -> None:
            number = other.end.fileno()
            loop.forget(other.end)
            other.end.close()
            os.dup2(reading, number)
            stack.callback(os.close, number)
            loop.watch(number, lambda: called.append("new"))

        both[0].then = lambda: swap(both[1])
        both[1].then = lambda: swap(both[0])
        loop.turn(1)
        os.close(reading)
        assert sum(each.calls for each in both) == 1
        assert called == []
        os.write(writing, b"x")
        loop.turn(1)
        assert called == ["new"]


def test_forgetting_what_is_not_watched_is_fine(loop: Loop) -> None:
    one, other = socket.socketpair()
    loop.forget(one)
    one.close()
    loop.forget(one)
    loop.forget(other.fileno())
    loop.watch(other, lambda: None)
    other.close()
    loop.forget(other)
    loop.turn(0)

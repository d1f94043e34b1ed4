# SPDX-License-Identifier: GPL-2.0-only
"""Which boots of a pair's guest are no verdict on its kernel."""

import pytest

from kzc.jobs.pairs import tried_again
from kzc.values import Ended

LOST = {Ended.GONE, Ended.SILENCE, Ended.STALLED}


@pytest.mark.parametrize("ended", Ended)
def test_only_what_an_emulation_loses_is_tried_again(ended: Ended) -> None:
    assert tried_again(ended, taken=False, emulated=True) is (ended in LOST)
    assert not tried_again(ended, taken=False, emulated=False)


@pytest.mark.parametrize("emulated", [True, False])
def test_a_guest_whose_cid_was_taken_gets_another(emulated: bool) -> None:
    assert tried_again(Ended.GONE, taken=True, emulated=emulated)
    assert not tried_again(Ended.EXIT, taken=True, emulated=emulated)
    assert not tried_again(Ended.PANIC, taken=True, emulated=emulated)

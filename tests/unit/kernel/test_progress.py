# SPDX-License-Identifier: GPL-2.0-only
"""The estimate of a build: steps by this build's own rate, the tail by the last build's seconds."""

from pathlib import Path

from kzc.kernel.progress import History, Meter, load, save, stale_objects


def test_an_even_build_with_a_known_tail_is_estimated_exactly() -> None:
    meter = Meter(total=100, tail=20.0)
    for step in range(1, 100):
        fraction = meter.feed(f"  CC      net/a{step}.o", elapsed=step * 0.8)
        assert fraction is not None
        # all of it takes 100 steps of 0.8 s and 20 s more
        assert abs(fraction - step * 0.8 / 100) < 0.02
    assert abs((meter.feed("  LD      vmlinux.o", 80.0) or 0) - 0.8) < 0.01
    assert abs((meter.feed("  OBJCOPY arch/x86/boot/vmlinux.bin", 90.0) or 0.9) - 0.9) < 0.01


def test_a_warm_cache_makes_steps_quick_but_not_the_tail() -> None:
    meter = Meter(total=100, tail=20.0)
    for step in range(1, 101):
        fraction = meter.feed(f"  CC      a{step}.o", elapsed=step * 0.1)
    assert fraction is not None
    assert abs(fraction - 10 / 30) < 0.02


def uneven(meter: Meter, rate: float, tail: float) -> float:
    """A build whose first half of the steps takes three times as long; the worst error."""
    steps = [3 * rate] * 50 + [rate] * 50
    whole = sum(steps) + tail
    elapsed, worst = 0.0, 0.0
    for number, seconds in enumerate(steps):
        elapsed += seconds
        line = "  LD      vmlinux.o" if number == 99 else f"  CC      a{number}.o"
        fraction = meter.feed(line, elapsed)
        assert fraction is not None
        worst = max(worst, abs(fraction - elapsed / whole))
    return worst


def test_the_second_build_is_right_within_ten_percent_though_steps_differ() -> None:
    first = Meter(total=100, tail=10.0)
    assert uneven(first, 1.0, 10.0) > 0.1
    history = first.history(210.0)
    assert history is not None
    assert (history.steps, history.tail) == (100, 10.0)
    assert uneven(Meter(history.steps, history.tail, history.curve), 1.0, 10.0) < 0.03
    # ten times as quick, because of a warm compiler cache
    assert uneven(Meter(history.steps, history.tail, history.curve), 0.1, 10.0) < 0.1


def test_lines_that_are_no_step_do_not_count() -> None:
    meter = Meter(total=10, tail=1.0)
    assert meter.feed("make[1]: Entering directory '/x'", 1.0) is None
    assert meter.feed("net/a.c:1:1: warning: unused", 1.0) is None
    assert meter.times == []


def test_more_steps_than_expected_never_go_beyond_the_end() -> None:
    meter = Meter(total=1, tail=0.0)
    assert meter.feed("  CC      a.o", 1.0) == 1.0
    assert meter.feed("  CC      b.o", 2.0) == 1.0


def test_history_is_kept_and_a_torn_one_ignored(tmp_path: Path) -> None:
    path = tmp_path / "notes" / "x.json"
    assert load(path) is None
    save(path, History(1500, 21.5, (0.0, 0.7, 1.0)))
    assert load(path) == History(1500, 21.5, (0.0, 0.7, 1.0))
    path.write_text('{"steps": 1')
    assert load(path) is None


def test_objects_that_depend_on_a_changed_file_are_counted(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    dep = "deps_net/{0}.o := \\\n  /x/src/net/{0}.c \\\n  /x/src/include/linux/socket.h \\\n"
    (tmp_path / "net/.a.o.cmd").write_text(dep.format("a"))
    (tmp_path / "net/.b.o.cmd").write_text(dep.format("b"))
    assert stale_objects(tmp_path, ["net/a.c"]) == 1
    assert stale_objects(tmp_path, ["include/linux/socket.h"]) == 2
    assert stale_objects(tmp_path, ["include/linux/socket.h.old", "t/a.c"]) == 0
    assert stale_objects(tmp_path, []) == 0

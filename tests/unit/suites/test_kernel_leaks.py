# SPDX-License-Identifier: GPL-2.0-only
"""What kmemleak says: how many leaks there are, which, and which of them a suite knows."""

from kzc.suites.kernel_log import scan
from kzc.suites.manifest import load_suite
from tests.unit.suites.test_kernel_log import ROOT, RULES, only, read


def test_leaks_as_the_suite_writes_them() -> None:
    text = """\
kmemleak: unreferenced object 0xffff88800b8a3a00 (size 128):
kmemleak:   comm "msg_zerocopy", pid 412, jiffies 4294670000
kmemleak:   backtrace (crc 12ab):
kmemleak:     kmem_cache_alloc_noprof+0x1/0x2
kmemleak:     sock_omalloc+0x4a/0x90
kmemleak:     [<00000000deadbeef>] msg_zerocopy_realloc+0x1/0x2"""
    lines = [f"[   12.345678] {line}" for line in text.splitlines()]
    finding = only([*lines, *lines])
    assert finding.signature == "kmemleak: sock_omalloc < msg_zerocopy_realloc"


def test_a_number_of_leaks_is_none_beside_those_that_it_announces() -> None:
    lines = read("suites/vhost-net-leak.log")
    finding = only(lines)
    assert finding.signature.startswith("kmemleak: vhost_net_ioctl < __x64_sys_ioctl < ")
    assert finding.excerpt[0].startswith("kmemleak: unreferenced object 0x")
    assert not finding.known
    assert only([*lines[:2], *lines[-14:]]).text.startswith("kmemleak: 18 new")
    earlier = scan(["kmemleak: 1 new suspected memory leaks", *lines], RULES)
    assert [found.text[:15] for found in earlier] == ["kmemleak: 1 new", "kmemleak: unref"]
    unread = only([line for line in lines if "new suspected" in line])
    assert unread.text.startswith("kmemleak: 18 new suspected memory leaks")


def test_vhost_net_knows_the_leak_of_ubufs_and_no_other_of_its_ioctls() -> None:
    rules = RULES.knowing(load_suite(ROOT / "selftests" / "vhost-net").known)
    lines = read("suites/vhost-net-leak.log")
    known = only(lines, rules).known
    assert known
    assert known.name == "ubufs-leak"
    for old, new in (
        ("(size 128)", "(size 64)"),
        (" 01 00 00 00 6b", " 02 00 00 00 6b"),
        ("vhost_net_ioctl", "vhost_net_open"),
    ):
        other = [line.replace(old, new) for line in lines]
        assert not only(other, rules).known
        assert [bool(finding.known) for finding in scan([*lines, *other], rules)] == [True, False]

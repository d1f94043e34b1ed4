# SPDX-License-Identifier: GPL-2.0-only
"""The rules against logs recorded in real guests, and headlines as the kernel spells them."""

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.suites.kernel_log import Finding, Rules, load_rules, scan

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"
RULES = load_rules(ROOT / "selftests" / "kernel-log.toml")
BREAKER = "breaker_zerocopy_done < breaker_send < breaker_init < do_one_initcall < do_init_module"


def read(name: str) -> list[str]:
    return (DATA / name).read_text(errors="replace").split("\n")


def only(lines: list[str], rules: Rules = RULES) -> Finding:
    found = scan(lines, rules)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("name", ["boot-ok.log", "sysrq-t-w.log"])
def test_healthy_logs_say_nothing(name: str) -> None:
    assert scan(read(f"console/{name}"), RULES) == ()


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (DATA / "suites").glob("vsock-*pass*"))
)
def test_output_of_tests_says_nothing(name: str) -> None:
    assert scan(read(f"suites/{name}"), RULES) == ()


@pytest.mark.parametrize(
    ("name", "kind", "signature"),
    [
        ("splat-warn.log", "warning", BREAKER),
        ("splat-bug.log", "kernel-bug", BREAKER),
        ("splat-null.log", "null-dereference", BREAKER),
        ("splat-smap.log", "page-fault", BREAKER),
        ("splat-refcount.log", "refcount", BREAKER),
        ("splat-soft-lockup.log", "soft-lockup", BREAKER),
        ("splat-hung-task.log", "hung-task", BREAKER),
        ("splat-rcu-stall.log", "rcu-stall", BREAKER),
        ("panic-oops.log", "null-dereference", BREAKER),
        (
            "../console/panic-sysrq-c.log",
            "panic",
            "sysrq_handle_crash < __handle_sysrq < write_sysrq_trigger < proc_reg_write"
            " < vfs_write",
        ),
        (
            "../console/panic-boot.log",
            "panic",
            "mount_root_generic < mount_root < prepare_namespace < kernel_init_freeable"
            " < kernel_init",
        ),
        (
            "splat-oom.log",
            "oom",
            "__handle_mm_fault < handle_mm_fault < exc_page_fault < asm_exc_page_fault < vfs_read",
        ),
        (
            "splat-netdev.log",
            "netdev-reference",
            "unregister_netdevice: waiting for dummy7 to become free. Usage count = N",
        ),
    ],
)
def test_recorded_splats(name: str, kind: str, signature: str) -> None:
    lines = read(f"suites/{name}")
    finding = only(lines)
    assert (finding.kind, finding.signature) == (kind, f"{kind}: {signature}")
    assert finding.text in lines[finding.line_number - 1]
    assert finding.excerpt[0].strip() == finding.text
    assert not any("test goes on" in line for line in finding.excerpt)


def test_a_panic_belongs_to_the_oops_it_follows() -> None:
    finding = only(read("suites/panic-oops.log"))
    assert any("Kernel panic - not syncing: Fatal exception" in line for line in finding.excerpt)


def test_a_segfault_of_a_test() -> None:
    finding = only(read("suites/splat-segv.log"))
    assert finding.kind == "segfault"
    assert finding.signature.startswith("segfault: msg_zerocopy_se[N]: segfault at N ip N")


@pytest.mark.parametrize("stamp", ["", "[    1.905598] ", "[    1.905598][   T54] "])
def test_the_signature_ignores_times_threads_and_offsets(stamp: str) -> None:
    lines = [line.split("] ", 1)[-1] for line in read("suites/splat-warn.log")]
    other = [stamp + line.replace("+0x", "+0x1").replace("PID: 54", "PID: 7") for line in lines]
    assert only(other).signature == f"warning: {BREAKER}"


def test_two_warnings_are_two_findings() -> None:
    lines = read("suites/splat-warn.log")
    other = [line.replace("breaker_zerocopy_done", "vsock_release") for line in lines]
    assert [finding.signature[:26] for finding in scan([*lines, *other], RULES)] == [
        "warning: breaker_zerocopy_",
        "warning: vsock_release < b",
    ]


def test_a_warning_right_below_a_segfault_is_not_hidden() -> None:
    segfault = "vsock_test[9]: segfault at 0 ip 0000000000401615 sp 00007ffc8c0b4be8 error 6"
    found = scan([segfault, *read("suites/splat-warn.log")], RULES)
    assert [finding.kind for finding in found] == ["segfault", "warning"]


def test_a_mark_names_a_suite_that_is_run_once_more() -> None:
    lines = ["kzc: begin vhost-net copy/vhost-net", "WARNING: something that nobody has seen"]
    assert only(lines).during == "vhost-net copy/vhost-net"


@pytest.mark.parametrize("left", ["", "\x9b" * 4000, "[31mred "])
def test_what_a_tty_still_had_to_print_hides_no_line_below_it(left: str) -> None:
    lines = (f"{left}kzc: begin gentle/full", f"{left}kzc: no space left on /tmp")
    found = only([*lines, "kzc: end gentle/full"])
    assert (found.kind, found.during) == ("disk-full", "gentle/full")


KASAN = """\
==================================================================
BUG: KASAN: slab-use-after-free in msg_zerocopy_put_abort+0x2a/0x40
Write of size 4 at addr ffff88800b8a3a10 by task msg_zerocopy/412

CPU: 1 UID: 0 PID: 412 Comm: msg_zerocopy Not tainted 6.12.0 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x68/0xa0
 print_address_description.constprop.0+0x2c/0x3e0
 print_report+0xb5/0x270
 kasan_report+0xd3/0x110
 kasan_check_range+0xf0/0x1e0
 msg_zerocopy_put_abort+0x2a/0x40
 ? __pfx_tcp_sendmsg_locked+0x10/0x10
 tcp_sendmsg_locked.isra.0+0x1f2/0x1d30
 tcp_sendmsg+0x2a/0x40
 </TASK>

Allocated by task 412:
 kasan_save_stack+0x24/0x50
 sock_omalloc+0x4a/0x90

The buggy address belongs to the object at ffff88800b8a3a00
==================================================================
Disabling lock debugging due to kernel taint
next test"""

LOCKDEP = """\
======================================================
WARNING: possible circular locking dependency detected
6.12.0 #1 Not tainted
------------------------------------------------------
vsock_test/77 is trying to acquire lock:
ffff8880 (sk_lock-AF_VSOCK){+.+.}-{0:0}, at: vsock_stream_sendmsg+0x4f/0x5c0

-> #1 (&list->lock#3){+.-.}-{2:2}:
       lock_acquire+0xd1/0x2d0
       some_other_path+0x1/0x2

stack backtrace:
CPU: 0 UID: 0 PID: 77 Comm: vsock_test Not tainted 6.12.0 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x68/0xa0
 print_circular_bug+0x2c/0x3e0
 check_noncircular+0x12d/0x150
 __lock_acquire+0x1/0x2
 lock_acquire+0xd1/0x2d0
 lock_sock_nested+0x3a/0xf0
 vsock_stream_sendmsg+0x4f/0x5c0 [vsock]
 </TASK>
next test"""


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        (KASAN, "kasan: msg_zerocopy_put_abort < tcp_sendmsg_locked < tcp_sendmsg"),
        (LOCKDEP, "lockdep: lock_sock_nested < vsock_stream_sendmsg"),
    ],
)
def test_reports_of_debug_kernels(text: str, signature: str) -> None:
    finding = only(text.splitlines())
    assert finding.signature == signature
    assert "next test" not in finding.excerpt
    assert "Allocated by task 412:" in finding.excerpt or "lockdep" in signature


def test_arm64() -> None:
    text = """\
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP
pc : vsock_bpf_recvmsg+0x10/0x20 [vsock]
lr : sock_recvmsg+0x1/0x2
Call trace:
 vsock_bpf_recvmsg+0x10/0x20 [vsock]
 sock_recvmsg+0x1/0x2
---[ end trace 0000000000000000 ]---"""
    assert only(text.splitlines()).signature == (
        "null-dereference: vsock_bpf_recvmsg < sock_recvmsg"
    )


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("kcsan", "BUG: KCSAN: data-race in vsock_poll / vsock_release"),
        ("kfence", "BUG: KFENCE: use-after-free read in skb_release_data+0x1/0x2"),
        ("kmsan", "BUG: KMSAN: uninit-value in tcp_recvmsg+0x1/0x2"),
        ("ubsan", "UBSAN: array-index-out-of-bounds in net/core/skbuff.c:1:2"),
        ("lockdep", "WARNING: possible recursive locking detected"),
        ("lockdep", "WARNING: inconsistent lock state"),
        ("lockdep", "WARNING: suspicious RCU usage"),
        ("lockdep", "WARNING: bad unlock balance detected!"),
        ("lockdep", "WARNING: held lock freed!"),
        ("lockdep", "WARNING: lock held when returning to user space!"),
        ("lockdep", "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected"),
        ("lockdep", "[ BUG: Invalid wait context ]"),
        ("lockdep", "INFO: trying to register non-static key."),
        ("atomic-sleep", "BUG: sleeping function called from invalid context at mm/slab.h:330"),
        ("atomic-sleep", "BUG: scheduling while atomic: vsock_test/77/0x00000002"),
        ("soft-lockup", "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [vsock_test:77]"),
        ("hard-lockup", "watchdog: Watchdog detected hard LOCKUP on cpu 1"),
        ("hard-lockup", "watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1"),
        ("workqueue-lockup", "BUG: workqueue lockup - pool cpus=0 stuck for 30s!"),
        ("rcu-stall", "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"),
        ("rcu-stall", "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... }"),
        ("hung-task", "INFO: task vsock_test:77 blocked for more than 120 seconds."),
        ("gpf", "Oops: general protection fault, probably for non-canonical address 0xdead: 0000"),
        ("gpf", "general protection fault: 0000 [#1] SMP"),
        ("oops", "Oops: int3: 0000 [#1] SMP"),
        ("page-fault", "BUG: unable to handle page fault for address: 0000000000400000"),
        ("kernel-bug", "kernel BUG at net/core/skbuff.c:1200!"),
        ("refcount", "refcount_t: underflow; use-after-free."),
        ("list-corruption", "list_del corruption. prev->next should be ffff88800b8a3a10"),
        ("bug", "BUG: Bad page state in process vsock_test  pfn:0b8a3"),
        ("bug", "BUG kmalloc-64 (Not tainted): Poison overwritten"),
        ("bug", "BUG: spinlock bad magic on CPU#0, vsock_test/77"),
        ("warning", "WARNING: CPU: 0 PID: 77 at net/core/sock.c:162 sk_mc_loop+0x1/0x2"),
        ("warning", "WARNING: net/core/sock.c:162 at sk_mc_loop+0x1/0x2, CPU#0: vsock_test/77"),
        ("warning", "WARNING: something that nobody has seen"),
        ("kmemleak", "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)"),
        (
            "netdev-reference",
            "unregister_netdevice: waiting for lo to become free. Usage count = 2",
        ),
        ("netdev-reference", "ref_tracker: veth%d@ffff8880 has 1/1 users at"),
        ("socket-memory", "Attempt to release alive inet socket 00000000deadbeef"),
        ("odebug", "ODEBUG: free active (active state 0) object type: timer_list"),
        ("irq", 'irq 11: nobody cared (try booting with the "irqpoll" option)'),
        ("allocation-failure", "vsock_test: page allocation failure: order:9, mode:0x40dc0"),
        ("oom", "Out of memory: Killed process 77 (vsock_test) total-vm:12kB"),
        ("segfault", "vsock_test[77]: segfault at 10 ip 0000000000401615 sp 0000 error 6"),
        ("segfault", "traps: vsock_test[77] general protection fault ip:401615 sp:7ffc error:0"),
        ("stack", "stack-protector: Kernel stack is corrupted in: tcp_sendmsg+0x1/0x2"),
        ("panic", "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"),
    ],
)
@pytest.mark.parametrize(
    "before", ["", "[   12.345678] ", "[   12.345678][ T77] ", "8 - a...[   12.345678] "]
)
def test_headlines(kind: str, line: str, before: str) -> None:
    assert only([before + line]).kind == kind


@pytest.mark.parametrize(
    "line",
    [
        "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via"
        " Spectre v2 BHB attacks!",
        "Spectre V2 : WARNING: LFENCE mitigation is not recommended for this CPU, data leaks"
        " possible!",
        "RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks, data"
        " leaks possible!",
        "RETBleed: WARNING: kernel not compiled with MITIGATION_UNRET_ENTRY.",
        "ITS: WARNING: Spectre-v2 mitigation is off, disabling ITS",
        "Speculative Return Stack Overflow: WARNING: kernel not compiled with MITIGATION_SRSO.",
        "process: WARNING: polling idle and HT enabled, performance may degrade",
        "WARNING: 'bootconfig' found on the kernel command line but CONFIG_BOOT_CONFIG is not set.",
        "workqueue: WARNING: Flushing system-wide workqueues will be prohibited in near future.",
        "mtrr_cleanup: WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 4MB of RAM.",
        "Kernel command line: panic=-1 oops=panic softlockup_panic=1 hung_task_panic=1",
        "kmemleak: Kernel memory leak detector initialized (mem pool available: 15677)",
        "KASAN: no shadow, debugging disabled",
        "rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.",
        "INFO: NMI handler (nmi_cpu_backtrace_handler) took too long to run: 10.919 msecs",
        "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
        "lockdep is turned off.",
        "9 - a test of BUGs...ok",
    ],
)
def test_what_a_healthy_kernel_may_say(line: str) -> None:
    assert scan([line, f"[    0.000000] {line}"], RULES) == ()


def test_every_rule_says_why() -> None:
    assert len(RULES.deny) > 30
    whys = [rule.why for rule in RULES.deny] + [rule.why for rule in RULES.allow]
    assert all(whys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deny = 3", "deny"),
        ("", "deny"),
        ("[[deny]]\nkind='x'\nwhy='y'\npattern='('", "deny.0.pattern"),
        ("[[deny]]\nkind='x'\nwhy='y'\npattern='a*'", "matches an empty line"),
        ("[[deny]]\nkind='x'\nwhy='y'\npattern='a'\nwho='z'", "deny.0.who"),
        ("[[deny", "Expected ']]'"),
    ],
)
def test_bad_rules_name_file_and_field(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        load_rules(path)
    assert error.value.message.startswith(f"{path}: ")
    assert words in error.value.message


def test_missing_rules_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load_rules(tmp_path / "none.toml")

# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of guests, as pure functions; running them is session.py's.

Both kinds of guest get the same three channels, each a socket on which kzc listens: the kernel
console (ttyS0, so that a BREAK on it is a sysrq, or hvc0), the control channel (virtio-serial,
never vsock) and QMP. virtme-ng keeps ttyS0 for itself, so its guests start paused and session.py
puts kzc's socket behind that port before the first instruction. The machine, the CPU model (but of
hosts of guests, and of guests on emulated SVM) and the kernel's panic policy are said here.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from kzc.guest.network import CARD, NETWORK, wired

# names of the chardev behind the console
CONSOLE = {"mini": "kzc-console", "vng": "console"}
HVC = "hvc0"
SYSRQ = b"\x0f"  # ^O and a key on hvc0 are a sysrq, as a BREAK and a key are on ttyS0
# an oops in the code under test must be an oops: SMAP and SMEP are part of -cpu max and host.
# What TCG emulates is dressed as a CPU whose TSC is known to be constant (Atom Bonnell, which also
# has no speculation to mitigate): else each further CPU's delay loop is calibrated for 80 ms.
# Without svm no kernel sets up KVM, and without erms none copies byte by byte. A guest has no use
# for a fifth level of page tables, and with it Debian's 6.1.192 gives its init other data than
# readlink(2) has written.
_CPU = {
    "kvm": "host",
    "tcg": "max,vendor=GenuineIntel,family=6,model=28,stepping=10,svm=off,erms=off,la57=off",
}
# without what a guest of tests has no use for; hotplug alone fills most of the ACPI tables
_MACHINE = "q35,sata=off,smbus=off,vmport=off,hpet=off"
_NO_HOTPLUG = "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"
# An exception of a guest on QEMU's emulated SVM stays in exit_int_info, only not as valid. Since
# 6.14 Linux (svm_check_emulate_instruction) looks at its type alone, takes it for one that is being
# delivered, and gives a guest up that writes to a device then ("KVM internal error. Suberror: 3").
# A write to a port needs no emulator
BY_PORTS = ("-global", "virtio-pci.modern-pio-notify=on")
# virtme-ng's own with a cache: this machine's files do not change under a test, and without one
# each program that starts is read again
_ROOT = "rootflags=version=9p2000.L,trans=virtio,access=any,msize=524288,cache=loose"
_POLICY = (
    "panic=-1",
    "softlockup_panic=1",
    "hung_task_panic=1",
    "sysrq_always_enabled",
    "ignore_loglevel",
    "printk.devkmsg=on",
)
# a kernel looks whether its timer ticks, for so short a time that an emulated one on a busy machine
# does not get there, and panics; under KVM it knows that it need not look. And whether its TSC goes
# as those ticks do, which it does not where they come late: 6.1 then hangs while it starts a CPU
_EMULATED = ("no_timer_check", "tsc=reliable")
# a counted nanosecond is an instruction, so the clock's rate is known; to find it out, or that of
# the local APIC's timer, a kernel reads clocks for 100 ms, which takes ten seconds that way
_COUNTED = ("tsc_early_khz=1000000", "nolapic_timer")


@dataclass(frozen=True)
class Sockets:
    """Paths of the sockets on which kzc listens, one per channel."""

    console: Path
    control: Path
    qmp: Path
    terminal: Path | None = None


@dataclass(frozen=True)
class GuestSpec:
    """What to boot. `memory` in MiB; `accel` is kvm or tcg; `append` goes to the kernel.

    `cpu` is QEMU's model where the accelerator's own will not do, `cid` the guest's CID behind the
    host's vhost-vsock, `forwarded` a TCP port of the guest that is reached through a port of the
    host's loopback, which QEMU chooses (`info usernet` tells). `modules` is the lib/modules/RELEASE
    of a kernel that has any: a mini guest's initramfs is made with it, virtme-ng finds it by
    itself, above the image. `terminal` gives a second serial port with a shell (terminal.py).
    `console` is the kernel's, ttyS0 or, for mini guests, hvc0: that one says nothing before its
    driver is there, and costs an emulated host one exit per line where ttyS0 costs one per byte.
    `pinned` is the CPU of its host on which a mini guest's QEMU stays. With `icount` the guest's
    clock counts the instructions that its one emulated CPU executes, each a nanosecond. `wires` are
    pairs of cards of its own (network.py), each pair connected with nothing but one another. With
    `by_ports` it notifies its devices through ports.
    """

    kind: str
    image: Path
    accel: str
    cpus: int = 2
    memory: int = 512
    machine: str = _MACHINE
    initrd: Path | None = None
    append: tuple[str, ...] = ()
    qemu: str = "qemu-system-x86_64"
    vng: str = "vng"
    modules: Path | None = None
    cpu: str = ""
    cid: int | None = None
    forwarded: int | None = None
    terminal: bool = False
    console: str = "ttyS0"
    pinned: int | None = None
    icount: bool = False
    wires: int = 0
    by_ports: bool = False


def line(spec: GuestSpec, sockets: Sockets, agent: Path) -> tuple[str, ...]:
    """The command that starts a guest of its kind; `agent` is what runs in a vng guest."""
    return mini(spec, sockets) if spec.kind == "mini" else vng(spec, sockets, agent)


def mini(spec: GuestSpec, sockets: Sockets) -> tuple[str, ...]:
    """QEMU with an initramfs."""
    early: tuple[str, ...] = ("earlyprintk=serial,ttyS0,115200",)
    port: tuple[str, ...] = ("-serial", f"chardev:{CONSOLE['mini']}")
    if spec.console == HVC:
        early, port = (), ("-device", f"virtconsole,chardev={CONSOLE['mini']}")
    return (
        *_qemu(spec),
        "-chardev",
        f"socket,id={CONSOLE['mini']},path={sockets.console}",
        *_channels(sockets),
        *port,
        *_network(spec),
        "-append",
        " ".join((f"console={spec.console}", *early, *_policy(spec), *spec.append)),
    )


def mini_shell(spec: GuestSpec) -> tuple[str, ...]:
    """QEMU with a shell of the guest on this terminal (Ctrl-A X ends it)."""
    return (
        *_qemu(spec),
        "-serial",
        "mon:stdio",
        "-append",
        " ".join(("console=ttyS0", "panic=-1", "quiet", "kzc.shell", *spec.append)),
    )


def environment(spec: GuestSpec) -> dict[str, str]:
    """virtme-ng calls its own programs by name, wherever it is installed."""
    return {"PATH": f"{Path(spec.vng).parent}:{os.environ.get('PATH', os.defpath)}"}


def _qemu(spec: GuestSpec) -> tuple[str, ...]:
    initrd = ("-initrd", str(spec.initrd)) if spec.initrd else ()
    pinned = ("taskset", "-c", str(spec.pinned)) if spec.pinned is not None else ()
    return (
        *pinned,
        spec.qemu,
        "-machine",
        spec.machine,
        *(("-global", _NO_HOTPLUG) if spec.machine == _MACHINE else ()),
        "-accel",
        spec.accel,
        "-cpu",
        spec.cpu or _CPU[spec.accel],
        *(BY_PORTS if spec.by_ports else ()),
        "-smp",
        str(spec.cpus),
        "-m",
        f"{spec.memory}M",
        *_clock(spec),
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
        "-display",
        "none",
        "-kernel",
        str(spec.image),
        *initrd,
    )


def _policy(spec: GuestSpec) -> tuple[str, ...]:
    emulated = _EMULATED if spec.accel == "tcg" else ()
    return (*_POLICY, *emulated, *(_COUNTED if spec.icount else ()))


def _clock(spec: GuestSpec) -> tuple[str, ...]:
    """A CPU that halts waits in real time (sleep=on): with sleep=off the clock jumps to whatever
    timer is next, past everything that comes from outside, and timeouts fire that nothing waited
    for."""
    return ("-icount", "shift=0,sleep=on", "-rtc", "clock=vm") if spec.icount else ()


def _channels(sockets: Sockets) -> tuple[str, ...]:
    return (
        "-chardev",
        f"socket,id=kzc-control,path={sockets.control}",
        "-device",
        "virtio-serial-pci,id=kzc-serial",
        "-device",
        "virtserialport,bus=kzc-serial.0,chardev=kzc-control,name=kzc.control",
        "-chardev",
        f"socket,id=kzc-qmp,path={sockets.qmp}",
        "-mon",
        "chardev=kzc-qmp,mode=control",
        *_terminal(sockets),
    )


def _terminal(sockets: Sockets) -> tuple[str, ...]:
    """ttyS1: the second of the PC's serial ports, whoever made the first."""
    if sockets.terminal is None:
        return ()
    return (
        "-chardev",
        f"socket,id=kzc-terminal,path={sockets.terminal}",
        "-device",
        "isa-serial,index=1,chardev=kzc-terminal",
    )


def _network(spec: GuestSpec) -> tuple[str, ...]:
    """The pair's devices: the test's own socket, and TCP for what coordinates the two ends."""
    vsock = ("-device", f"vhost-vsock-pci,guest-cid={spec.cid}") if spec.cid is not None else ()
    vsock = (*vsock, *wired(spec.wires))
    if spec.forwarded is None:
        return vsock
    return (
        *vsock,
        "-netdev",
        f"user,id={NETWORK},hostfwd=tcp:127.0.0.1:0-:{spec.forwarded}",
        "-device",
        f"virtio-net-pci,id={CARD},netdev={NETWORK}",
    )


def vng(spec: GuestSpec, sockets: Sockets, agent: Path) -> tuple[str, ...]:
    """virtme-ng with this machine's root file system; kzc's channels come on top of its own."""
    extra = shlex.join(("-S", *_cpu(spec), *_clock(spec), *_channels(sockets), *_network(spec)))
    return (
        *_vng(spec),
        "--exec",
        f"sh {shlex.quote(str(agent))}",
        "--append",
        " ".join((_ROOT, *_policy(spec), *spec.append)),
        f"--qemu-opts={extra}",
    )


def vng_shell(spec: GuestSpec) -> tuple[str, ...]:
    """virtme-ng with a shell on this terminal."""
    append = ("--append", " ".join(spec.append)) if spec.append else ()
    cpu = _cpu(spec)
    return (*_vng(spec), *append, *((f"--qemu-opts={shlex.join(cpu)}",) if cpu else ()))


def _cpu(spec: GuestSpec) -> tuple[str, ...]:
    """What replaces virtme-ng's own choice; of a CPU that is not emulated it knows best."""
    model = spec.cpu or (_CPU["tcg"] if spec.accel == "tcg" else "")
    return ("-cpu", model) if model else ()


def _vng(spec: GuestSpec) -> tuple[str, ...]:
    return (
        spec.vng,
        "--run",
        str(spec.image),
        *(("--disable-kvm",) if spec.accel == "tcg" else ()),
        "--disable-microvm",
        *(("--qemu", spec.qemu) if "/" in spec.qemu else ()),
        "--user",
        "root",
        "--force-9p",
        "--cpus",
        str(spec.cpus),
        "--memory",
        f"{spec.memory}M",
    )

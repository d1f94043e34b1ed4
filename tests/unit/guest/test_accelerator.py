# SPDX-License-Identifier: GPL-2.0-only
"""The probe against emulators that work, abort, hang, lie: real processes, and the real QEMU."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.guest import payload
from kzc.guest.accelerator import Cause, argv, explain, no_rights, probe
from kzc.proc import LocalRunner

_RUNS = "emit '3kzc:' '\\040\\000\\000\\000\\200\\000\\020\\000\\000\\000\\000\\000'; exit 85"
_ABORTS = "echo 'qemu-system-x86_64: error: failed to set MSR 0xe1' >&2; kill -ABRT $$"
_FAKE = """#!/bin/sh
echo run >>{log}
case "$*" in
*--version*) echo 'QEMU emulator version 7.2.22 (Debian 1:7.2)'; exit 0 ;;
esac
for word; do case $word in file,id=probe,path=*) console=${{word#*path=}} ;; esac; done
emit() {{ printf "$1$2" >"$console"; }}
case "$*" in
*'-accel kvm'*) {kvm} ;;
*) {tcg} ;;
esac
"""


class Emulator:
    """A program that behaves as told, and counts how often it was started."""

    def __init__(self, folder: Path, kvm: str = _RUNS, tcg: str = _RUNS) -> None:
        self.log = folder / "log"
        self.path = folder / "qemu"
        self.path.write_text(_FAKE.format(log=self.log, kvm=kvm, tcg=tcg))
        self.path.chmod(0o755)

    @property
    def starts(self) -> int:
        return self.log.read_text().count("run") if self.log.exists() else 0


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Something that this user may open, in place of /dev/kvm."""
    path = tmp_path / "kvm"
    path.touch()
    return path


def test_kvm_is_taken_when_its_guest_comes_through(tmp_path: Path, node: Path) -> None:
    emulator = Emulator(tmp_path, tcg="exit 1")
    found = probe(str(emulator.path), tmp_path / "cache", LocalRunner(), device=node)
    assert (found.kind, found.cause, found.cached) == ("kvm", Cause.NONE, False)
    assert found.features == ("smap", "smep", "vmx")
    assert found.nested
    assert found.qemu_version == "7.2.22"
    assert "64-bit mode" in found.reason


def test_an_abort_is_told_in_qemus_words(tmp_path: Path, node: Path) -> None:
    emulator = Emulator(tmp_path, kvm=_ABORTS)
    found = probe(str(emulator.path), tmp_path / "cache", LocalRunner(), device=node)
    assert (found.kind, found.cause) == ("tcg", Cause.ABORTED)
    assert "signal 6" in found.reason
    assert "error: failed to set MSR 0xe1" in found.reason


@pytest.mark.parametrize(
    ("kvm", "words"),
    [
        ("sleep 60", "did not get past its firmware"),
        ("emit 3; sleep 60", "stopped before 64-bit mode"),
    ],
)
def test_a_silent_guest_is_given_up(tmp_path: Path, node: Path, kvm: str, words: str) -> None:
    emulator = Emulator(tmp_path, kvm=kvm)
    begin = time.monotonic()
    found = probe(
        str(emulator.path), tmp_path / "cache", LocalRunner(), device=node, kvm_seconds=0.5
    )
    assert time.monotonic() - begin < 10
    assert (found.kind, found.cause) == ("tcg", Cause.SILENT)
    assert words in found.reason


@pytest.mark.parametrize("kvm", ["exit 85", "emit 3kzc: ''; exit 85", f"{_RUNS[:-2]}0", "exit 0"])
def test_a_status_alone_or_an_output_alone_proves_nothing(
    tmp_path: Path, node: Path, kvm: str
) -> None:
    emulator = Emulator(tmp_path, kvm=kvm)
    found = probe(str(emulator.path), tmp_path / "cache", LocalRunner(), device=node)
    assert (found.kind, found.cause) == ("tcg", Cause.ABORTED)


def test_a_missing_node_means_that_kvm_is_not_even_tried(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    found = probe(str(emulator.path), tmp_path, LocalRunner(), device=tmp_path / "nothing")
    assert (found.kind, found.cause) == ("tcg", Cause.ABSENT)
    assert emulator.starts == 2  # its version, and TCG


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_node_without_rights(tmp_path: Path, node: Path) -> None:
    node.chmod(0)
    found = probe(str(Emulator(tmp_path).path), tmp_path, LocalRunner(), device=node)
    assert (found.kind, found.cause) == ("tcg", Cause.RIGHTS)


def test_missing_rights_name_the_group() -> None:
    assert no_rights(Path("/dev/kvm"), 0) == "no rights on /dev/kvm: it belongs to the group root"
    assert "the group 4242424" in no_rights(Path("/dev/kvm"), 4242424)


@pytest.mark.parametrize(
    ("stderr", "cause", "words"),
    [
        ("qemu: invalid accelerator kvm\n", Cause.UNSUPPORTED, "built without KVM"),
        (
            "Could not access KVM kernel module: Device or resource busy\nqemu: failed\n",
            Cause.BUSY,
            "resource busy",
        ),
        ("", Cause.ABORTED, "no message"),
    ],
)
def test_messages_of_qemu(stderr: str, cause: Cause, words: str) -> None:
    found, reason = explain("kvm", 1, stderr)
    assert found is cause
    assert words in reason


def test_an_emulator_that_runs_nothing_is_the_hosts_fault(tmp_path: Path, node: Path) -> None:
    emulator = Emulator(tmp_path, kvm=_ABORTS, tcg="echo 'qemu: no firmware' >&2; exit 1")
    with pytest.raises(HostError, match=r"neither KVM nor TCG.*no firmware") as caught:
        probe(str(emulator.path), tmp_path / "cache", LocalRunner(), device=node)
    assert "apt-get" in caught.value.hint
    assert not list((tmp_path / "cache" / "probe").iterdir())


def test_no_emulator_at_all(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no-such-emulator") as caught:
        probe("no-such-emulator", tmp_path, LocalRunner())
    assert caught.value.exit_code == 3


def test_a_cache_that_cannot_be_written(tmp_path: Path, node: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot be used"):
        probe(str(Emulator(tmp_path).path), tmp_path / "file", LocalRunner(), device=node)


def test_the_answer_is_kept_until_the_binary_changes(tmp_path: Path, node: Path) -> None:
    emulator, cache = Emulator(tmp_path), tmp_path / "cache"
    first = probe(str(emulator.path), cache, LocalRunner(), device=node)
    starts = emulator.starts
    second = probe(str(emulator.path), cache, LocalRunner(), device=node)
    assert emulator.starts == starts
    assert second.cached
    assert (second.kind, second.features, second.reason) == (
        first.kind,
        first.features,
        first.reason,
    )
    os.utime(emulator.path, (1, 1))
    assert not probe(str(emulator.path), cache, LocalRunner(), device=node).cached
    assert not probe(str(emulator.path), cache, LocalRunner(), device=node, fresh=True).cached


def test_the_answer_is_not_kept_when_the_node_goes(tmp_path: Path, node: Path) -> None:
    emulator, cache = Emulator(tmp_path), tmp_path / "cache"
    assert probe(str(emulator.path), cache, LocalRunner(), device=node).kind == "kvm"
    node.unlink()
    assert probe(str(emulator.path), cache, LocalRunner(), device=node).kind == "tcg"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"at": 0}', '{"at": 1e18, "cause": ""}'])
def test_a_torn_record_is_proven_again(tmp_path: Path, node: Path, text: str) -> None:
    emulator, cache = Emulator(tmp_path), tmp_path / "cache"
    probe(str(emulator.path), cache, LocalRunner(), device=node)
    (record,) = (cache / "probe").iterdir()
    record.write_text(text)
    assert not probe(str(emulator.path), cache, LocalRunner(), device=node).cached
    assert probe(str(emulator.path), cache, LocalRunner(), device=node).cached


def test_a_refusal_is_kept_for_a_day_only(tmp_path: Path, node: Path) -> None:
    emulator, cache = Emulator(tmp_path, kvm=_ABORTS), tmp_path / "cache"
    probe(str(emulator.path), cache, LocalRunner(), device=node)
    assert probe(str(emulator.path), cache, LocalRunner(), device=node).cached
    (record,) = (cache / "probe").iterdir()
    data = json.loads(record.read_text())
    record.write_text(json.dumps({**data, "at": data["at"] - 90000}))
    assert not probe(str(emulator.path), cache, LocalRunner(), device=node).cached


def test_a_busy_kvm_is_asked_every_time(tmp_path: Path, node: Path) -> None:
    busy = "echo 'ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy' >&2; exit 1"
    emulator, cache = Emulator(tmp_path, kvm=busy), tmp_path / "cache"
    for _ in range(2):
        found = probe(str(emulator.path), cache, LocalRunner(), device=node)
        assert (found.cause, found.cached) == (Cause.BUSY, False)


def test_the_payload_is_a_multiboot_image() -> None:
    image = payload.image()
    words = [int.from_bytes(image[at : at + 4], "little") for at in range(0, 12, 4)]
    assert words[0] == 0x1BADB002
    assert sum(words) % (1 << 32) == 0
    assert payload.decode(b"") == payload.Report(False, False)
    assert payload.decode(b"3kz") == payload.Report(True, False)
    assert payload.decode(b"3kzc:" + bytes(12)) == payload.Report(True, True)
    assert not payload.decode(b"3kzc:" + bytes(13)).complete


@pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="no QEMU")
def test_the_real_qemu_runs_the_payload_with_tcg(tmp_path: Path) -> None:
    found = probe("qemu-system-x86_64", tmp_path, LocalRunner(), device=tmp_path / "no-kvm-wanted")
    assert found.kind == "tcg"
    assert {"smap", "smep", "svm"} <= set(found.features)


@pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="no QEMU")
def test_the_real_qemu_does_not_run_a_payload_with_a_broken_page_table(tmp_path: Path) -> None:
    image, console = tmp_path / "image", tmp_path / "console"
    broken = bytearray(payload.image())
    broken[0x1000] = 0  # the top entry is no longer present
    image.write_bytes(broken)
    LocalRunner().capture(
        argv("qemu-system-x86_64", "tcg", image, console), timeout=30, check=False
    )
    assert payload.decode(console.read_bytes()) == payload.Report(True, False)

# SPDX-License-Identifier: GPL-2.0-only
"""The smallest guest that proves an accelerator: it reaches 64-bit mode and says what CPU it has.

A Multiboot (0.6.96) image, so that the firmware runs first, as it does for a kernel. Instructions
at the reset vector alone prove too little: there are KVM modules that run those and then neither
finish the firmware nor ever enter long mode. Bytes go to the debug console at port 0xe9; the end
is a write to isa-debug-exit. Pure: bytes in, bytes and values out.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

DEBUG_PORT = 0xE9
EXIT_PORT = 0xF4
_EXIT_VALUE = 0x2A
EXIT_STATUS = _EXIT_VALUE << 1 | 1  # what isa-debug-exit makes of the value

_LOAD = 0x100000
_ENTRY, _LONG, _GDT, _PML4, _PDPT, _PD, _END = 0x20, 0x200, 0x400, 0x1000, 0x2000, 0x3000, 0x4000
_MULTIBOOT_MAGIC = 0x1BADB002
_MULTIBOOT_ADDRESSES = 1 << 16
_EFER = 0xC0000080

_PROTECTED = b"3"
_GREETING = b"kzc:"
# where the guest finds each feature: index of the word it wrote, bit in it
_FEATURES = {"vmx": (0, 5), "smep": (1, 7), "smap": (1, 20), "svm": (2, 2)}


@dataclass(frozen=True)
class Report:
    """What came out of the guest: how far it got, and (after 64-bit mode) its CPU's features."""

    started: bool
    complete: bool
    features: tuple[str, ...] = ()


def decode(output: bytes) -> Report:
    """Read the debug console's bytes; anything but the whole of them is not complete."""
    head = _PROTECTED + _GREETING
    if not output.startswith(head) or len(output) != len(head) + 12:
        return Report(output.startswith(_PROTECTED), False)
    words = struct.unpack("<3I", output[len(head) :])
    features = (name for name, (word, bit) in _FEATURES.items() if words[word] >> bit & 1)
    return Report(True, True, tuple(sorted(features)))


def image() -> bytes:
    """The file for QEMU's -kernel: header, 32-bit code, 64-bit code, GDT, page tables."""
    flags = _MULTIBOOT_ADDRESSES
    header = struct.pack(
        "<8I",
        _MULTIBOOT_MAGIC,
        flags,
        -(_MULTIBOOT_MAGIC + flags) & 0xFFFFFFFF,
        *(_LOAD, _LOAD, 0, 0, _LOAD + _ENTRY),
    )
    # null, 64-bit code, data; the six bytes in front are lgdt's operand
    gdt = struct.pack("<HI3Q", 23, _LOAD + _GDT, 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF)
    parts = {
        0: header,
        _ENTRY: _protected_mode(),
        _LONG: _long_mode(),
        _GDT - 6: gdt,
        _PML4: struct.pack("<Q", _LOAD + _PDPT | 3),
        _PDPT: struct.pack("<Q", _LOAD + _PD | 3),
        _PD: struct.pack("<Q", 0x83),  # the first 2 MiB, onto themselves
    }
    memory = bytearray(_END)
    for offset, data in parts.items():
        memory[offset : offset + len(data)] = data
    return bytes(memory)


def _protected_mode() -> bytes:
    return b"".join(
        (
            _say(_PROTECTED),
            b"\x0f\x01\x15" + _word(_LOAD + _GDT - 6),  # lgdt
            b"\x0f\x20\xe0\x83\xc8\x20\x0f\x22\xe0",  # cr4 |= PAE
            b"\xb8" + _word(_LOAD + _PML4) + b"\x0f\x22\xd8",  # cr3 = PML4
            b"\xb9" + _word(_EFER) + b"\x0f\x32\x0d" + _word(1 << 8) + b"\x0f\x30",  # LME
            b"\x0f\x20\xc0\x0d" + _word(1 << 31) + b"\x0f\x22\xc0",  # cr0 |= PG
            b"\xea" + _word(_LOAD + _LONG) + b"\x08\x00",  # ljmp into the 64-bit segment
        )
    )


def _long_mode() -> bytes:
    ebx, ecx = b"\x89\xd8", b"\x89\xc8"  # mov eax, register
    return b"".join(
        (
            _say(_GREETING),
            _say_cpuid(1, ecx),
            _say_cpuid(7, ebx),
            _say_cpuid(0x80000001, ecx),
            bytes((0xB0, _EXIT_VALUE, 0xE6, EXIT_PORT)),  # out
            b"\xf4\xeb\xfd",  # hlt, for ever
        )
    )


def _say(text: bytes) -> bytes:
    return b"".join(bytes((0xB0, byte, 0xE6, DEBUG_PORT)) for byte in text)  # mov al; out


def _say_cpuid(leaf: int, move: bytes) -> bytes:
    """cpuid(leaf, 0), then the four bytes of one register, lowest first."""
    out_and_shift = bytes((0xE6, DEBUG_PORT)) + b"\xc1\xe8\x08"
    return b"\xb8" + _word(leaf) + b"\x31\xc9\x0f\xa2" + move + out_and_shift * 4


def _word(value: int) -> bytes:
    return struct.pack("<I", value)

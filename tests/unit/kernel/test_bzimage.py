# SPDX-License-Identifier: GPL-2.0-only
"""Kernels that are there already, told by their header."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.kernel.bzimage import built_before, image_at, is_image, modules_of, release_of
from kzc.values import Diagnostic, KernelBuild


def bzimage(release: str) -> bytes:
    """The header of Documentation/arch/x86/boot.rst, with the version string at 0x400."""
    data = bytearray(0x1000)
    data[0x202:0x206] = b"HdrS"
    data[0x20E:0x210] = (0x200).to_bytes(2, "little")
    text = f"{release} (kzc@kzc) #1 SMP\0".encode()
    data[0x400 : 0x400 + len(text)] = text
    return bytes(data)


def test_the_release_is_the_first_word_of_the_version() -> None:
    assert release_of(bzimage("6.1.0-56-amd64")) == "6.1.0-56-amd64"
    no_version = bytearray(bzimage("x"))
    no_version[0x20E:0x210] = b"\0\0"
    assert release_of(bytes(no_version)) == ""
    assert release_of(b"") is None
    assert release_of(b"a mail" * 200) is None


def test_a_foreign_image_is_named_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(bzimage("6.1"))
    (tmp_path / "bzImage").write_bytes(bzimage("6.12.0+"))
    first, second = image_at(tmp_path / "vmlinuz"), image_at(tmp_path)
    assert (first.release, second.release) == ("6.1", "6.12.0+")
    assert (first.image, second.image) == (str(tmp_path / "vmlinuz"), str(tmp_path / "bzImage"))
    assert first.key != second.key
    assert first.tree_id == ""


def test_a_kernel_of_kzc_s_is_told_by_its_note_wherever_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "abcd1234"
    folder.mkdir()
    (folder / "bzImage").write_bytes(bzimage("6.12"))
    warning = Diagnostic("net/a.c", 1, "warning", "unused")
    built = KernelBuild("abcd1234", "/gone", "/gone/bzImage", "h", "6.12", "t", "gcc", (warning,))
    (folder / "kernel.json").write_text(json.dumps(asdict(built)))
    expected = replace(built, folder=str(folder), image=str(folder / "bzImage"), cached=True)
    assert image_at(folder) == expected
    assert built_before("abcd", tmp_path) == (expected,)
    assert built_before("abce", tmp_path) == ()
    (folder / "kernel.json").write_text("[]")
    assert built_before("abcd", tmp_path) == ()


def test_what_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("From: a@b\n")
    (tmp_path / "vmlinux").write_bytes(b"\x7fELF" + bytes(1000))
    assert not is_image(tmp_path / "mail")
    assert not is_image(tmp_path)
    with pytest.raises(UsageError, match="is no bzImage"):
        image_at(tmp_path / "mail")
    with pytest.raises(UsageError, match="is an ELF file"):
        is_image(tmp_path / "vmlinux")


def test_modules_are_looked_for_above_the_image(tmp_path: Path) -> None:
    image = tmp_path / "root/boot/vmlinuz-9.9-none"
    assert modules_of(image, "9.9-none") is None
    folder = tmp_path / "root/usr/lib/modules/9.9-none"
    folder.mkdir(parents=True)
    (folder / "modules.dep").touch()
    assert modules_of(image, "9.9-none") == folder
    assert modules_of(image, "") is None

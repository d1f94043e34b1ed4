# SPDX-License-Identifier: GPL-2.0-only
"""Debian's kernel images, with the real apt, dpkg and depmod on an archive of small packages."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from kzc.errors import HostError, UsageError
from kzc.settings import Settings
from kzc.trees.images import find_image, parse_depends
from tests.plain import RUNNER

VERSION = "9.9.1-1~test1"
OLD, NEW = "9.9-1-fake", "9.9-2-fake"
MODULE = "kernel/net/vmw_vsock/vsock.ko"

pytestmark = pytest.mark.skipif(
    not (shutil.which("dpkg-deb") and shutil.which("apt-get")), reason="no apt here"
)


def make_deb(pool: Path, package: str, depends: str = "", files: Mapping[str, bytes] = {}) -> str:
    """Build a package and return its entry in an archive's index."""
    root = pool.parent / f"root-{package}"
    (root / "DEBIAN").mkdir(parents=True)
    control = f"Package: {package}\nVersion: {VERSION}\nArchitecture: all\n" + (
        f"Depends: {depends}\n" if depends else ""
    )
    control += "Maintainer: kzc <kzc@localhost>\nDescription: test\n"
    (root / "DEBIAN/control").write_text(control)
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    pool.mkdir(parents=True, exist_ok=True)
    deb = pool / f"{package}_{VERSION}_all.deb"
    RUNNER.capture(["dpkg-deb", "--root-owner-group", "-b", str(root), str(deb)])
    data = deb.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return f"{control}Filename: pool/{deb.name}\nSize: {len(data)}\nSHA256: {digest}\n\n"


def module_files(top: str, release: str, suffix: str = "") -> dict[str, bytes]:
    folder = f"{top}lib/modules/{release}"
    data = lzma.compress(b"module") if suffix else b"module"
    return {
        f"{folder}/{MODULE}{suffix}": data,
        f"{folder}/modules.order": b"",
        f"{folder}/modules.builtin": b"kernel/fs/9p/9p.ko\n",
        f"{folder}/modules.builtin.modinfo": b"",
    }


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's apt, set up with an archive that has kernels of the old and the new cut."""
    mirror = tmp_path / "archive/mirror"
    pool = mirror / "pool"
    whole = {f"boot/vmlinuz-{OLD}": b"old", **module_files("", OLD)}
    parts = module_files("usr/", NEW, ".xz")
    packed = next(iter(parts))
    lists = {name: data for name, data in parts.items() if name != packed}
    text = "".join(
        (
            make_deb(pool, "linux-image-fake", f"linux-image-{OLD} (= {VERSION})"),
            make_deb(pool, f"linux-image-{OLD}", "kmod", whole),
            make_deb(
                pool,
                f"linux-image-{NEW}",
                f"linux-base-{NEW}, linux-binary-{NEW}, linux-modules-{NEW}",
            ),
            make_deb(pool, f"linux-base-{NEW}", "", lists),
            make_deb(pool, f"linux-binary-{NEW}", "", {f"usr/lib/modules/{NEW}/vmlinuz": b"new"}),
            make_deb(pool, f"linux-modules-{NEW}", "", {packed: parts[packed]}),
            make_deb(pool, "linux-image-empty"),
            make_deb(pool, "linux-image-torn", "linux-binary-nowhere"),
        )
    )
    index = mirror / "dists/backports/main/binary-all/Packages"
    index.parent.mkdir(parents=True)
    index.write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (mirror / "dists/backports/Release").write_text(
        "Suite: backports\nCodename: backports\nArchitectures: all amd64\nComponents: main\n"
        f"SHA256:\n {digest} {len(text)} main/binary-all/Packages\n"
    )
    own = tmp_path / "apt"
    (own / "lists/partial").mkdir(parents=True)
    (own / "sources").write_text(f"deb file:{mirror} backports main\n")
    (own / "conf").write_text(
        f'Dir::Etc::sourcelist "{own}/sources";\nDir::Etc::sourceparts "/dev/null";\n'
        f'Dir::State::lists "{own}/lists";\nDir::Cache "{own}/cache";\n'
        'Acquire::AllowInsecureRepositories "true";\nAPT::Get::AllowUnauthenticated "true";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(own / "conf"))
    return mirror


def test_a_meta_package_leads_to_a_kernel_that_is_fetched_once(
    archive: Path, settings: Settings
) -> None:
    image = find_image("debian:linux-image-fake@backports", settings, RUNNER)
    folder = settings.cache / "images" / f"linux-image-{OLD}_9.9.1-1_test1"
    assert image.vmlinuz == folder / f"boot/vmlinuz-{OLD}"
    assert image.vmlinuz.read_bytes() == b"old"
    assert (image.release, image.package, image.version) == (OLD, f"linux-image-{OLD}", VERSION)
    assert image.modules == folder / f"lib/modules/{OLD}"
    assert f"{MODULE}:" in (image.modules / "modules.dep").read_text()
    assert not list(settings.cache.rglob("*.deb"))
    os.utime(folder, (1, 1))
    shutil.rmtree(archive / "pool")
    assert find_image(f"debian:linux-image-{OLD}@backports", settings, RUNNER) == image
    assert folder.stat().st_mtime > 1


def test_a_kernel_in_several_packages_with_packed_modules(
    archive: Path, settings: Settings
) -> None:
    image = find_image(f"debian:linux-image-{NEW}@backports", settings, RUNNER)
    assert image.vmlinuz.read_bytes() == b"new"
    assert image.release == NEW
    assert "9p.ko" in (image.modules / "modules.builtin").read_text()
    # where virtme-ng looks for it
    folder = settings.cache / "images" / f"linux-image-{NEW}_9.9.1-1_test1"
    assert image.modules == folder / f"lib/modules/{NEW}"
    assert (image.modules / MODULE).read_bytes() == b"module"
    assert not list(image.modules.rglob("*.xz"))
    assert f"{MODULE}:" in (image.modules / "modules.dep").read_text()


def test_a_killed_unpacking_leaves_nothing_in_the_way(archive: Path, settings: Settings) -> None:
    half_made = settings.cache / f"images/.making-linux-image-{OLD}_9.9.1-1_test1/boot"
    half_made.mkdir(parents=True)
    (half_made / f"vmlinuz-{OLD}").write_text("torn")
    image = find_image("debian:linux-image-fake@backports", settings, RUNNER)
    assert image.vmlinuz.read_bytes() == b"old"
    assert not half_made.exists()


def test_what_cannot_be_had_is_said_and_leaves_nothing(archive: Path, settings: Settings) -> None:
    cases = (
        ("linux-image-1@backports", UsageError, "no linux-image-1 in backports"),
        ("linux-image-1", UsageError, "apt knows no package linux-image-1"),
        ("linux-image-fake@nowhere", HostError, "no linux-image-fake in nowhere"),
        ("linux-image-empty@backports", UsageError, "has no kernel with modules in it"),
        ("linux-image-torn@backports", HostError, "needs linux-binary-nowhere"),
        ("linux-source-6.1", UsageError, "is no kernel image"),
        ("linux-image-a b", UsageError, "names no package"),
    )
    for spec, blame, words in cases:
        with pytest.raises(blame, match=words):
            find_image(f"debian:{spec}", settings, RUNNER)
    assert not list((settings.cache / "images").glob("*/"))


def test_an_archive_that_is_gone_is_the_host_s_fault(archive: Path, settings: Settings) -> None:
    find_image("debian:linux-image-fake@backports", settings, RUNNER)
    shutil.rmtree(archive / "pool")
    with pytest.raises(HostError, match=f"cannot download linux-image-{NEW}"):
        find_image(f"debian:linux-image-{NEW}@backports", settings, RUNNER)
    assert [path.name for path in (settings.cache / "images").glob("*/")] == [
        f"linux-image-{OLD}_9.9.1-1_test1"
    ]


def test_the_output_of_apt_cache_depends() -> None:
    lines = (
        "linux-image-7",
        "  PreDepends: linux-base",
        " |Depends: <dracut>",
        "  Depends: linux-binary-7",
        "  Depends: linux-modules-7",
        "  Depends: linux-binary-7",
    )
    assert parse_depends(lines, ("linux-binary-", "linux-modules-")) == (
        "linux-binary-7",
        "linux-modules-7",
    )
    assert parse_depends(lines, ("linux-image-",)) == ()

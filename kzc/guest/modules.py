# SPDX-License-Identifier: GPL-2.0-only
"""Which modules a guest needs of a kernel that has them as files, and in which order.

Pure but for reading: modules.dep and modules.builtin, as depmod(8) writes them, say what there
is. A name that the kernel neither has as a file nor built in is left out.
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from kzc.errors import HostError

# channel, network and vsock of either end; the last ones are for a guest that is itself a host
WANTED = (
    "virtio_pci",
    "virtio_console",
    "virtio_net",
    "af_packet",
    "vsock",
    "vsock_loopback",
    "vmw_vsock_virtio_transport",
    "vsock_diag",
    "vsockmon",
    "vhost_vsock",
    "kvm",
    "kvm_amd",
    "kvm_intel",
)
# what virtme-ng cannot do without when the root file system comes over 9p
_ROOT = ("virtio_pci", "9p", "9pnet_virtio")
_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    ".ko": bytes,
    ".xz": lzma.decompress,
    ".gz": gzip.decompress,
}


def needed(folder: Path, names: Iterable[str] = WANTED) -> tuple[Path, ...]:
    """Files of the modules `names` and all they depend on, in the order to load them.

    `folder` is lib/modules/RELEASE. Raises HostError where it has no modules.dep.
    """
    depends = parse_dep(_lines(folder / "modules.dep"))
    files = {_name(path): path for path in depends}
    order: dict[str, None] = {}
    for name in names:
        if name in files:
            path = files[name]
            # modules.dep lists the deepest dependency last
            order |= dict.fromkeys([*reversed(depends[path]), path])
    return tuple(folder / path for path in order)


def parse_dep(lines: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Lines `PATH: DEPENDENCY ...` of modules.dep."""
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {path.strip(): tuple(rest.split()) for path, _, rest in pairs}


def why_not_vng(folder: Path) -> str:
    """Why this kernel cannot be virtme-ng's guest, in one phrase; empty when it can."""
    there = {_name(path) for path in parse_dep(_lines(folder / "modules.dep"))}
    built_in = folder / "modules.builtin"
    if built_in.exists():
        there |= {_name(path) for path in _lines(built_in)}
    missing = [name for name in _ROOT if name not in there]
    if not missing:
        return ""
    return f"it has no {' and no '.join(missing)}, over which virtme-ng's guests get their root"


def read_module(path: Path) -> bytes:
    """A module as insmod of busybox takes it. Raises HostError: missing, packed another way."""
    unpack = _UNPACK.get(path.suffix)
    if unpack is None:
        raise HostError(
            f"{path}: kzc cannot unpack {path.suffix} modules",
            f"unpack them: find {path.parent} -name '*{path.suffix}' and depmod",
        )
    try:
        return unpack(path.read_bytes())
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise HostError(f"{path} cannot be read: {error}", "is the package damaged?") from error


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise HostError(
            f"{file} cannot be read: {error.strerror}", f"depmod {file.parent.name} makes it"
        ) from None


def _name(path: str) -> str:
    """A module's name as lsmod has it: a dash is an underscore."""
    return Path(path).name.partition(".ko")[0].replace("-", "_")

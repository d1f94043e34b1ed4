# SPDX-License-Identifier: GPL-2.0-only
"""Where the files are that kzc brings along; light to import, as the shells' completion asks it."""

from __future__ import annotations

from pathlib import Path

from kzc.errors import HostError


def shared_folder(name: str) -> Path:
    """The folder patches/, kconfigs/, selftests/, plans/ or seeds/, in a checkout or a wheel."""
    package = Path(__file__).parent
    installed = package / "data" / name
    checkout = package.parent / name
    if (package.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    if installed.is_dir():
        return installed
    raise HostError(f"kzc's own folder {name}/ is missing ({installed})", "install kzc again")

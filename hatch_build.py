# SPDX-License-Identifier: GPL-2.0-only
"""The wheel's man pages, made of the command line while it is built: share/man/man1 and man7."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPages(BuildHookInterface):
    """Writes them to a folder of its own and says where they belong."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is put together; an editable one gets them too."""
        sys.path.insert(0, self.root)
        from kzc.cli.manuals import write

        self._folder = Path(mkdtemp(prefix="kzc-man-"))
        write(self._folder)
        for page in self._folder.glob("man?/*"):
            build_data["shared_data"][str(page)] = f"share/man/{page.parent.name}/{page.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called behind it."""
        shutil.rmtree(self._folder, ignore_errors=True)

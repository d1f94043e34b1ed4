# SPDX-License-Identifier: GPL-2.0-only
"""A suite's program in Python: a zip application (zipapp) that the guest's python3 runs.

It brings what it imports beyond the standard library, so that it does not matter where kzc is
installed: a guest does not see every folder of this machine. Only modules in pure Python do.
"""

from __future__ import annotations

import tempfile
import zipapp
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

_PYTHON = "/usr/bin/env python3"
_MAIN = "import runpy\n\nrunpy.run_module({!r}, run_name='__main__', alter_sys=True)\n"


def texts(packages: Sequence[str], folder: Path) -> dict[str, str]:
    """All files by path. The first package, a folder in `folder`, is run, as `python -m` does; the
    others are installed beside kzc. Raises ValueError naming one that is not there."""
    own, *others = packages
    if not own.isidentifier() or not (folder / own / "__main__.py").is_file():
        raise ValueError(f"there is no package {own} with a __main__.py beside suite.toml")
    places = {own: folder / own} | {name: _installed(name) for name in others}
    found = {
        f"{name.replace('.', '/')}/{path.name}": path.read_text(encoding="utf-8")
        for name, place in places.items()
        for path in sorted(place.glob("*.py"))
    }
    return {"__main__.py": _MAIN.format(own), **found}


def write(files: Mapping[str, str], target: Path, scratch: Path) -> None:
    """The program at `target`; `scratch` is a folder to make one in."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        zipapp.create_archive(folder, target, interpreter=_PYTHON)
    target.chmod(0o755)


def _installed(name: str) -> Path:
    try:
        spec = find_spec(name)
    except ImportError:
        spec = None
    places = spec and spec.submodule_search_locations
    if not places:
        raise ValueError(f"there is no package {name} beside kzc")
    return Path(next(iter(places)))

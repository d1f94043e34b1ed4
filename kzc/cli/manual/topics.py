# SPDX-License-Identifier: GPL-2.0-only
"""The topics of `kzc help`: a Markdown file each in texts/, which begins with its title."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "texts"


def topics() -> dict[str, str]:
    """The texts by topic, in the order of the names."""
    files = sorted(FOLDER.glob("*.md"))
    return {file.stem: _text(file) for file in files}


def title(text: str) -> str:
    """What a text is about: its first line."""
    return text.partition("\n")[0].removeprefix("# ")


def _text(file: Path) -> str:
    """The file without its licence."""
    licence, _, text = file.read_text(encoding="utf-8").partition("\n")
    if "SPDX-License-Identifier" not in licence:
        raise ValueError(f"{file}: has no licence in its first line")
    return text.lstrip("\n")

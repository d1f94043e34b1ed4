# SPDX-License-Identifier: GPL-2.0-only
"""How a case ends early: it failed, or cannot be run here."""

from __future__ import annotations


class Failed(Exception):
    """The kernel (or QEMU) did something else than it should; the text says what."""


class Skipped(Exception):
    """The case cannot be run here; the text says what is lacking."""

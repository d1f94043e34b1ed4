# SPDX-License-Identifier: GPL-2.0-only
"""Tests; those marked `vm` build and boot real kernels."""

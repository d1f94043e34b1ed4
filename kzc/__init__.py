# SPDX-License-Identifier: GPL-2.0-only
"""kzc: from a kernel patch series for zerocopy sockets and a tree to a verdict."""

__version__ = "0.1.0"

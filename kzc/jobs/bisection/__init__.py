# SPDX-License-Identifier: GPL-2.0-only
"""Which patch broke it, asked of runs that may lie: `kzc bisect`."""

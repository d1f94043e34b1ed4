# SPDX-License-Identifier: GPL-2.0-only
"""Every patch of a series on top of the one before: `kzc check`."""

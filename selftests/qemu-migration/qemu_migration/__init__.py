# SPDX-License-Identifier: GPL-2.0-only
"""The suite qemu-migration: QEMU's migration with zero-copy-send, on the kernel that it runs on."""

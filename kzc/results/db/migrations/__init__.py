# SPDX-License-Identifier: GPL-2.0-only
"""The ways from each older form of the tables to the next one."""

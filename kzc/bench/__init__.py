# SPDX-License-Identifier: GPL-2.0-only
"""Copy against zerocopy, before against after: plans, rounds, statistics, tables, plots."""

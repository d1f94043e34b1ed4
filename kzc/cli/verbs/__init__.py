# SPDX-License-Identifier: GPL-2.0-only
"""The verbs by groups: one function each, which hands over to a file of kzc/cli.

What a verb needs is imported when it runs, so that `kzc --help` answers at once.
"""

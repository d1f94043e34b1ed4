# SPDX-License-Identifier: GPL-2.0-only
"""Where outcomes are kept and told: the store, what a run amounts to, one exporter per format.

Rule: everything shown comes from the stored `Run`; no log is read again.
"""

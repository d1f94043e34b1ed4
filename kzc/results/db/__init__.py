# SPDX-License-Identifier: GPL-2.0-only
"""The database of runs: its tables, how it is opened, how runs become rows and come back.

Loaded only where a run is kept or looked at: SQLAlchemy takes a third of a second.
"""

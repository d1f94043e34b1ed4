# SPDX-License-Identifier: GPL-2.0-only
"""What a shell offers after `kzc`: made of the command line itself, which nothing here repeats.

The scripts for the shells (`kzc.bash`, `kzc.zsh`, `kzc.fish`) hand over the line up to the cursor
and get a candidate a line, with a tabulator before what it is. They evaluate nothing of it.
"""

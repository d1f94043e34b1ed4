# SPDX-License-Identifier: GPL-2.0-only
"""One migration a file. None is ever changed once somebody's runs may have gone through it."""

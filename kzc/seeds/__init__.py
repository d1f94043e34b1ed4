# SPDX-License-Identifier: GPL-2.0-only
"""What the documents claim that kzc was made after, and whether it holds."""

# SPDX-License-Identifier: GPL-2.0-only
"""`kzc ci`: a matrix of trees, series, topologies and suites becomes jobs, and these one run."""

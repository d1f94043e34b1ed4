# SPDX-License-Identifier: GPL-2.0-only
"""The best one-to-one assignment of rows to columns: the Hungarian method, O(n^3). Pure.

scipy has it, but a series of 64 patches is no reason to depend on scipy.
"""

from __future__ import annotations

from collections.abc import Sequence


def assign(scores: Sequence[Sequence[float]]) -> tuple[tuple[int, int], ...]:
    """Pairs (row, column) whose scores add up to the most, by row; pairs with 0 are left out.

    `scores` are not negative, and all rows are of one length.
    """
    rows, columns = len(scores), len(scores[0]) if scores else 0
    size = max(rows, columns)
    # the method finds the cheapest perfect assignment of a square: the rest of it costs nothing
    costs = [
        [-scores[row][column] if row < rows and column < columns else 0.0 for column in range(size)]
        for row in range(size)
    ]
    of_column = _cheapest(costs, size)
    pairs = ((row, column) for column, row in enumerate(of_column))
    return tuple(
        sorted(
            (row, column)
            for row, column in pairs
            if row < rows and column < columns and scores[row][column] > 0
        )
    )


def _cheapest(costs: Sequence[Sequence[float]], size: int) -> list[int]:
    """The row of each column. Each row in turn takes the cheapest augmenting path."""
    none = size
    row_price, column_price = [0.0] * (size + 1), [0.0] * (size + 1)
    of_column = [none] * (size + 1)
    for start in range(size):
        # the column `size` is a place to begin from, not one of the square
        of_column[size] = start
        slack, before, seen = [float("inf")] * size, [size] * size, [False] * (size + 1)
        at = size
        while of_column[at] != none:
            seen[at] = True
            row, step, nearest = of_column[at], float("inf"), size
            for column in range(size):
                if seen[column]:
                    continue
                reduced = costs[row][column] - row_price[row] - column_price[column]
                if reduced < slack[column]:
                    slack[column], before[column] = reduced, at
                if slack[column] < step:
                    step, nearest = slack[column], column
            for column in range(size + 1):
                if seen[column]:
                    row_price[of_column[column]] += step
                    column_price[column] -= step
                elif column < size:
                    slack[column] -= step
            at = nearest
        while at != size:
            of_column[at] = of_column[before[at]]
            at = before[at]
    return of_column[:size]

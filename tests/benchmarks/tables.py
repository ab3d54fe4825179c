"""The table that a benchmark prints: what was measured, its limit, and whether that held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        what: was measured.
        figure: how much of it there was.
        unit: what `figure` and `limit` count: "s", "ms", "MB", "KiB", "x" or "%".
        limit: the most it may be, None where there is none.
        note: what else a reader should know, in a few words.
    """

    what: str
    figure: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limit."""
        return self.limit is None or self.figure <= self.limit


_DIGITS = {"s": 3, "ms": 1, "MB": 1, "KiB": 1, "x": 2, "%": 3}
_HEAD = ("", "figure", "limit", "of it", "")


def show(title: str, rows: Sequence[Row]) -> bool:
    """Print a table; whether every limit in it held."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    print(f"\n{title}")
    for line in lines:
        first, *numbers = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=False))
        )
        print("  ".join([first, *numbers, line[4]]).rstrip(), flush=True)
    return all(row.holds for row in rows)


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    figure = _amount(row.figure, row.unit)
    if row.limit is None:
        return row.what, figure, "", "", row.note
    verdict = "holds" if row.holds else "MISSED"
    share = f"{row.figure / row.limit:.0%}"
    note = f"{verdict}  {row.note}" if row.note else verdict
    return row.what, figure, _amount(row.limit, row.unit), share, note


def _amount(number: float, unit: str) -> str:
    return f"{number:,.{_DIGITS[unit]}f} {unit}"

"""Tables that fit the terminal's width; in a pipe, rows separated by tabs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from claude_sync.values import NamedTuple
from claude_sync_app.cli.output import flush, is_terminal, print_raw
from claude_sync_app.shown_text import one_line

_GAP = 2
_BAREST = 4


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        title: its head.
        least: how narrow it may become before others are left out; 0 if it never gives way.
        dispensable: where even that isn't enough, the column that is left out first has the
            greatest number; 0 if it stays.
        right: whether it is aligned to the right.
        style: how it looks on a terminal, in rich's words.
    """

    title: str
    least: int = 0
    dispensable: int = 0
    right: bool = False
    style: str = ""


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on a terminal; anywhere else its rows, with tabs between the cells."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if not is_terminal(sys.stdout):
        for row in cells:
            # Not with `print_line`, which makes a space of every tab.
            print_raw("\t".join(row) + "\n")
        return
    flush()
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    natural = [
        max(map(cell_len, [column.title, *(row[index] for row in cells)]))
        for index, column in enumerate(columns)
    ]
    widths = fitted(columns, natural, console.width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    shown = [index for index, width in enumerate(widths) if width]
    for index in shown:
        column = columns[index]
        table.add_column(
            column.title,
            style=column.style,
            justify="right" if column.right else "left",
            width=widths[index],
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in cells:
        table.add_row(*(Text(row[index]) for index in shown))
    console.print(table)


def fitted(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int]:
    """How wide each column is; 0 if there is no room for it. Pure.

    Args:
        columns: with what each can do without.
        natural: how wide each would be.
        room: how wide all may be together, the gaps between them too.
    """
    widths = list(natural)
    floors = [column.least for column in columns]

    def excess() -> int:
        return sum(widths) + _GAP * (sum(map(bool, widths)) - 1) - room

    _narrow(widths, floors, excess())
    while excess() > 0:
        spare = [
            index for index, column in enumerate(columns) if widths[index] * column.dispensable
        ]
        if not spare:
            # Nothing is left to do without, so that all that can has to shrink further.
            _narrow(widths, [min(floor, _BAREST) for floor in floors], excess())
            break
        widths[max(spare, key=lambda index: columns[index].dispensable)] = 0
        widths[:] = [
            natural[index] if column.least and widths[index] else widths[index]
            for index, column in enumerate(columns)
        ]
        _narrow(widths, floors, excess())
    return widths


def _narrow(widths: list[int], floors: Sequence[int], excess: int) -> None:
    """Take so much away, always from the widest that is above its floor; a floor of 0 is none."""
    for _ in range(excess):
        wide = [index for index, floor in enumerate(floors) if 0 < floor < widths[index]]
        if not wide:
            return
        widths[max(wide, key=widths.__getitem__)] -= 1

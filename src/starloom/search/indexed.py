"""A file of the index as a row of its shard, of which those of a page are told together.

A call for each cell and each file's symbols was a fifth of what a page cost.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from starloom.search.matching import File

T = TypeVar("T")


class Table(Protocol):
    """Rows, by their numbers."""

    def value(self, row: int, name: str) -> Any: ...

    def text(self, row: int) -> bytes: ...

    def columns(self, rows: Sequence[int], names: Sequence[str]) -> Iterable[Sequence[Any]]:
        """Of some rows, each with its cells in these columns."""
        ...

    def symbols(self, rows: Sequence[int], names: frozenset[str] | None) -> list[list[tuple[str, int]]]:
        """Of some rows, each with (name, line) of what it defines, in order; all, or what is called one of these,
        folded."""
        ...


class Indexed(File):
    """A row of a table."""

    def __init__(self, table: Table, row: int) -> None:
        self.table = table
        self.row = row
        self._text = None

    def value(self, name: str) -> Any:
        return self.table.value(self.row, name)

    def _read(self) -> bytes:
        return self.table.text(self.row)


def texts_of(files: Sequence[Indexed]) -> list[bytes]:
    """Of each file its text; one that was not read is not kept."""
    return [file.table.text(file.row) if file._text is None else file._text.data for file in files]


def columns(files: Sequence[Indexed], names: Sequence[str]) -> Iterable[Sequence[Any]]:
    """Of each file the cells of some columns."""
    return _by_table(files, lambda table, rows: table.columns(rows, names))


def symbols(files: Sequence[Indexed], names: frozenset[str] | None) -> Iterable[list[tuple[str, int]]]:
    """Of each file what `Table.symbols` tells."""
    return _by_table(files, lambda table, rows: table.symbols(rows, names))


def _by_table(files: Sequence[Indexed], ask: Callable[[Table, Sequence[int]], Iterable[T]]) -> Iterable[T]:
    """Each table is asked once."""
    tables = {id(file.table): file.table for file in files}
    if len(tables) == 1:
        return ask(files[0].table, [file.row for file in files])
    told = {one: iter(ask(table, [file.row for file in files if file.table is table])) for one, table in tables.items()}
    return (next(told[id(file.table)]) for file in files)

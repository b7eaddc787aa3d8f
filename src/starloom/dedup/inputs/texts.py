"""Texts with ids and other columns, whatever they came from: what is compared, and what is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.inputs.part import LeftOut, Part
from starloom.dedup.text_files import TextFile, portions, runs
from starloom.errors import UserError
from starloom.settings import nearest

LENGTH = "length_bytes"  # a column that every input has: of its texts, unless it brings one of that name


@dataclass(frozen=True)
class Input:
    """Texts in rows, numbered over all parts. `name`: as the user gave it."""

    name: str
    parts: tuple[Part, ...] = field(repr=False)
    folders: tuple[str, ...] = field(repr=False)  # one a part: where it is, as the user gave it
    left_out: tuple[LeftOut, ...] = ()
    is_one: bool = True  # False: of several, so that ids made of paths begin with the folder

    @property
    def files(self) -> tuple[TextFile, ...]:
        """Where the texts lie, as `near_duplicates_in_files` takes them."""
        return tuple(part.text for part in self.parts)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @cached_property
    def ids(self) -> Any:
        """string[rows], a chunked array. Not necessarily each another one: an `id` is taken as it is."""
        import pyarrow.compute as pc

        found = []
        for part, folder in zip(self.parts, self.folders, strict=True):
            ids = part.ids()
            if part.own_ids and not self.is_one:
                ids = pc.binary_join_element_wise(_before(folder), ids, "")
            found.append(ids)
        return _chunked(found, pa.string())

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """int64[rows]: bytes of the texts in UTF-8; reads them once."""
        import pyarrow.compute as pc

        found = np.zeros(self.rows, dtype=np.int64)
        work = runs(self.files)
        with progress.task("sizes of texts", sum(run.bytes for run in work)) as bar:
            for run in work:
                for rows, texts, of in portions(run):
                    found[rows] = pc.fill_null(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)[of]
                bar.advance(run.bytes)
        return found

    def columns(self) -> list[str]:
        """Of all parts, each once."""
        return list(dict.fromkeys(name for part in self.parts for name in part.columns()))

    def column(self, name: str) -> Any:
        """The values of a column, one a row, as one chunked array; null where a part has no such column. Raises
        UserError where no part has it, or their types do not go together."""
        there = self.columns()
        if name not in there:
            if name == LENGTH:
                return pa.chunked_array([self.lengths])
            raise UserError(f"{self.name} has no column `{name}`", nearest(name, [*there, LENGTH]))
        found = [part.column(name) if name in part.columns() else pa.nulls(part.rows) for part in self.parts]
        try:
            several = [pa.schema([(name, one.type)]) for one in found]
            return _chunked(found, pa.unify_schemas(several, promote_options="permissive").field(name).type)
        except pa.ArrowException:
            kinds = ", ".join(sorted({str(one.type) for one in found}))
            raise UserError(f"{self.name}: the files have `{name}` as {kinds}", "take those files apart") from None


def together(inputs: Sequence[Input]) -> Input:
    """One input of the rows of all, in order. Ids made of paths then begin with the folder that was given."""
    if len(inputs) == 1:
        return inputs[0]
    left_out = [one._replace(path=_before(each.folders[0]) + one.path) for each in inputs for one in each.left_out]
    return Input(
        ", ".join(one.name for one in inputs),
        tuple(part for one in inputs for part in one.parts),
        tuple(folder for one in inputs for folder in one.folders),
        tuple(left_out),
        is_one=False,
    )


def _before(folder: str) -> str:
    return "" if folder == "." else folder.rstrip("/") + "/"


def _chunked(arrays: Sequence[Any], kind: Any) -> Any:
    chunks = [chunk for one in arrays for chunk in (one.chunks if isinstance(one, pa.ChunkedArray) else [one])]
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind)

"""Held-out text: the files of repositories that no training ever reads, with their contents.

`sample` is what scores are measured on: the same files for the same dataset, size and seed, whatever the model. It
reads names and sizes first, and contents only of what it takes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64s
from starloom.progress import say
from starloom.the_stack import tables
from starloom.tokens import redacted
from starloom.tokens.packed import Shards
from starloom.tokens.tokenizer import Tokenizer


@dataclass(frozen=True)
class HeldOutFile:
    """A file of the held-out split. `cut`: `content` is only its beginning."""

    repo_name: str
    path: str
    content_id: str
    language: str
    content: str
    cut: bool = False
    redactions: Sequence[Mapping[str, Any]] = ()  # of the whole content, as the dataset has them


_COLUMNS = ["repo_name", "path", "content_id", "language", "content"]


def held_out(root: Path) -> Iterator[HeldOutFile]:
    """Every held-out file, by repository and path; one row group in memory (about 16 MB of text).

    Raises UserError when there is no dataset, or it is damaged.
    """
    return _files(tables.dataset(root, "files", "held_out"), None)


def sample(root: Path, max_bytes: int, seed: int) -> list[HeldOutFile]:
    """Whole files: in an order drawn by `seed`, each that still fits into `max_bytes` (of their `length_bytes`); they
    are given by repository and path.

    Where not one file fits, the first in that order is cut after the last line that does, and a line to the person says
    so. Raises UserError when nothing is held out, or not a line of it fits.
    """
    paths = tables.dataset(root, "files", "held_out")
    repo_names, names, sizes = _narrow(paths)
    if not sizes:
        raise UserError(
            f"{root / tables.DATASET} has no held-out files: nothing to measure on",
            "raise `held_out` under [decide] in starloom.toml, or add repositories, then run `starloom build`",
        )
    order = np.argsort(keyed_uint64s(seed, "held out", map("\0".join, zip(repo_names, names, strict=True))))
    taken, left = [], max_bytes
    for row in order.tolist():
        if sizes[row] <= left:
            taken.append(row)
            left -= sizes[row]
    if taken:
        return list(_files(paths, np.sort(np.array(taken, dtype=np.int64))))
    first = next(_files(paths, order[:1].astype(np.int64)))
    lines = first.content.encode()[: max(max_bytes, 0)]
    kept = lines[: lines.rfind(b"\n") + 1].decode()
    if not kept:
        raise UserError(f"{max_bytes:,} bytes hold no line of {first.repo_name}:{first.path}", "measure on more bytes")
    say(
        f"note: no held-out file fits into {max_bytes:,} bytes: the beginning of {first.repo_name}:{first.path} is used"
    )
    return [replace(first, content=kept, cut=True)]


def refuse_read(files: Sequence[HeldOutFile], streams: Sequence[Shards]) -> None:
    """Raises UserError where packed tokens hold some of the files: they were packed with another split, and what has
    read them would be measured on what it learnt by heart."""
    asked = pa.array(sorted({one.content_id for one in files}), pa.string())
    read = pa.array([False] * len(asked), pa.bool_())
    for one in streams:
        ids = pq.read_table(one.folder / "pieces.parquet", columns=["content_id"]).column(0)
        read = pc.or_(read, pc.is_in(asked, value_set=ids))
    if number := pc.sum(read).as_py():
        raise UserError(
            f"{number:,} of the {len(asked):,} files drawn stand in {streams[0].folder.parent}: they were not held out "
            "when it was packed, so they tell nothing of what has read them",
            "run `starloom pack` and train anew, or hold out what was held out then ([decide] held_out and seed)",
        )


def documents(tokenizer: Tokenizer, files: Sequence[HeldOutFile]) -> list[list[int]]:
    """Each file as a document of its own, as `pack` makes it: what stands before a file, then its tokens."""
    markers = tokenizer.markers
    first = markers.file_sep if markers and markers.file_sep is not None else tokenizer.end_of_text
    texts = [
        redacted.parts(one.content, redacted.markers(one.content, one.redactions, tokenizer.marked)) for one in files
    ]
    return [[first, *ids] for ids in tokenizer.encode_parts(texts)]


def _narrow(paths: list[Path]) -> tuple[list[str], list[str], list[int]]:
    """(repo_name, path, length_bytes) of every file, in order."""
    found: tuple[list[str], list[str], list[int]] = ([], [], [])
    for path in paths:
        try:
            table = pq.read_table(path, columns=["repo_name", "path", "length_bytes"])
        except (OSError, pa.ArrowException) as problem:
            raise damaged(path, problem) from None
        for column, values in zip(found, table.columns, strict=True):
            column += values.to_pylist()
    return found


def _files(paths: list[Path], rows: NDArray[np.int64] | None) -> Iterator[HeldOutFile]:
    """The files in these rows (sorted; None: all) of the whole split."""
    start = 0
    for path in paths:
        try:
            file = pq.ParquetFile(path)
            for group in range(file.metadata.num_row_groups):
                stop = start + file.metadata.row_group(group).num_rows
                here = None if rows is None else rows[(start <= rows) & (rows < stop)] - start
                start = stop
                if here is not None and not len(here):
                    continue
                table = file.read_row_group(group, columns=[*_COLUMNS, redacted.COLUMN])
                if here is not None:
                    table = table.take(pa.array(here))
                values = (table.column(name).to_pylist() for name in _COLUMNS)
                for repo_name, name, content_id, language, content, noted in zip(*values, redacted.noted(table)):
                    yield HeldOutFile(repo_name, name, content_id, language or "", content, redactions=noted)
        except (OSError, pa.ArrowException) as problem:
            raise damaged(path, problem) from None


def damaged(path: Path, problem: Exception) -> UserError:
    """What a part of the dataset that cannot be read is told with."""
    return UserError(
        f"{path} cannot be read ({str(problem).splitlines()[0]})",
        f"delete {path.parent.parent} and run `starloom build`: it is made again",
    )

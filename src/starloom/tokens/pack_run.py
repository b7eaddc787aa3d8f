"""A worker's part of `pack`: some repositories, laid out and encoded in every variant, published as a folder by itself.

A repository is read once for all variants, and a text that several of them have is encoded once. The folder of a run
has `documents.parquet` (DOCUMENTS), and for variant v the payload `v.bin` and `v.parquet` (PIECES), all counted from
the run's own start. It is there whole or not at all, so what a killed `pack` has finished is not done again.
"""

import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.languages.syntax.middles import Middles
from starloom.settings import as_json
from starloom.tokens import dependencies, shards
from starloom.tokens.pack_encoder import Encoder, Stream
from starloom.tokens.pack_plan import Planned
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.repositories import Repository, made_of, repositories, told
from starloom.tokens.templates import notebook
from starloom.tokens.templates.repository import Piece, document, file_order
from starloom.tokens.templates.seen import Seen
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace import atomic

KIND: Final = "pack-run"
PART_BYTES = 32 << 20  # of text of a repository laid out at a time
ORDERED_BYTES = 256 << 20  # larger repositories are in random order always: their imports are not read
_TEXTS: Final = "texts.arrow"

DOCUMENTS = pa.schema(
    [
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("source", pa.int64(), nullable=False),  # its number in the plan
        pa.field("files", pa.int64(), nullable=False),
        pa.field("text_bytes", pa.int64(), nullable=False),
        pa.field("tokens", pa.list_(pa.int64()), nullable=False),  # in each variant
    ]
)


@dataclass(frozen=True)
class Run:
    """Repositories for one worker, and where what comes of them goes."""

    planned: Planned
    settings: PackSettings
    tokenizer: Path
    sha256: str  # of its tokenizer.json
    slow: bool  # nothing but Hugging Face's own encoder is trusted
    folder: Path
    mark: str  # the folder's fingerprint
    decided: Path | None = None  # of documents, what their listing says of the files that they were made of


def pack_run(run: Run) -> None:
    """Raises UserError for what the file system refuses."""
    if parent_process() is not None:  # in the pool, which has a process for every core already
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizer = _tokenizer(run.tokenizer, run.sha256, run.slow)
    dtype = shards.dtype_of(tokenizer.vocabulary)
    settings, sources = run.settings, run.planned.sources
    with (
        atomic.publish(
            run.folder, kind=KIND, version=1, fingerprint=run.mark, inputs={}, settings={}, replace=True
        ) as draft,
        ExitStack() as open_files,
    ):
        streams = [
            Stream(open_files.enter_context(draft.create(f"{variant}.bin"))) for variant in range(settings.variants)
        ]
        middles = open_files.enter_context(Middles()) if settings.syntax_rate else None
        seen = [[Seen() for _ in streams] for _ in range(max(sources) + 1)]
        encoder = Encoder(tokenizer, dtype, streams)
        about: list[tuple[str, int, int, int]] = []
        scratch = draft.worker_folder() / _TEXTS
        first = 0  # number of the repository's first file in the run
        for source, one in zip(sources, repositories(run.planned.rows, tokenizer.marked, scratch), strict=True):
            if run.planned.kind:
                lay_out = notebook.DOCUMENTS[run.planned.kind]
                for number, size in enumerate(one.sizes):
                    pieces = lay_out(one.file(number), tokenizer.special)
                    for variant in range(settings.variants):
                        encoder.add(variant, pieces, [first + number])
                        seen[source][variant] += Seen(documents=1, files=1)
                    encoder.end_document()
                    about.append((one.name, source, 1, size))
            else:
                for variant in range(settings.variants):
                    for pieces, files in _laid_out(one, variant, settings, tokenizer, middles, seen[source][variant]):
                        encoder.add(variant, pieces, [first + number for number in files])
                encoder.end_document()
                about.append((one.name, source, len(one), one.bytes))
            first += len(one)
        encoder.flush()
        ends = np.cumsum([number for _, _, number, _ in about])
        files_told = told(run.planned.rows)
        if run.decided:
            contents = made_of(run.decided, [name for name, *_ in about], files_told.column("path").to_pylist())
            files_told = files_told.set_column(0, "content_id", contents)
        for variant, stream in enumerate(streams):
            draft.parquet(f"{variant}.parquet", shards.PIECES, [_pieces(stream, ends, files_told)])
        columns = [list(column) for column in zip(*about, strict=True)]
        tokens = [list(one) for one in zip(*(stream.documents for stream in streams), strict=True)]
        draft.parquet("documents.parquet", DOCUMENTS, [pa.table([*columns, tokens], schema=DOCUMENTS)])
        draft.facts = {"trusted": tokenizer.trusted, "seen": as_json(seen)}


@functools.lru_cache(maxsize=1)
def _tokenizer(folder: Path, _sha256: str, slow: bool) -> Tokenizer:
    """Opened once a worker."""
    found = Tokenizer.open(folder)
    if slow:
        found.distrust()
    return found


def _laid_out(
    one: Repository,
    variant: int,
    settings: PackSettings,
    tokenizer: Tokenizer,
    middles: Middles | None,
    seen: Seen,
) -> Iterator[tuple[list[Piece], list[int]]]:
    """The pieces of a document, some files at a time; with the numbers, in the repository, of these files."""
    parts = list(_parts(one, _order(one, variant, settings)))
    for place, files in enumerate(parts):
        pieces = document(
            one.name,
            [one.file(number) for number in files],
            settings.seed,
            variant,
            settings.fim(),
            tokenizer.markers,
            tokenizer.end_of_text,
            order=range(len(files)),
            middles=middles,
            seen=seen,
            begins=place == 0,
            ends=place == len(parts) - 1,
        )
        yield pieces, files


def _order(one: Repository, variant: int, settings: PackSettings) -> list[int]:
    if settings.file_order == "random" or one.bytes > ORDERED_BYTES:
        return file_order(one.name, one.paths, settings.seed, variant)
    if one.dependencies is None:  # the same in all variants
        files = map(one.file, range(len(one)))
        one.dependencies = dependencies.order([(file.path, file.content) for file in files])
    return one.dependencies


def _parts(one: Repository, order: Sequence[int]) -> Iterator[list[int]]:
    """Neighbours in the order, PART_BYTES together or one file."""
    part: list[int] = []
    size = 0
    for number in order:
        if part and size + one.sizes[number] > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(number)
        size += one.sizes[number]
    yield part


def _pieces(stream: Stream, ends: NDArray[np.int64], told: pa.Table) -> pa.Table:
    """As PIECES. `ends`: how many of the files, which `told` has a row each of, are in the documents up to each."""
    files, first, tokens = stream.spans()
    documents = np.searchsorted(ends, files, side="right")
    return pa.table([documents, *told.take(files).columns, first, tokens], schema=shards.PIECES)

"""`pack`: the training text as one stream of tokens, repository by repository, in shards, with what lies where.

Only `split = train`. A document is a repository as templates/repository lays it out, every text encoded by itself, the
tokenizer's own markers between them, its end of text at the end. Where `write` replaced something private by a marker
of which the tokenizer has a token, there stands that token. The dataset is sorted by repository, so it is cut into
runs of whole repositories that workers pack on their own, into scratch files that are put together in order: the same
dataset, tokenizer and settings give the same bytes, whatever the number of workers.

Memory a worker: one row group (16 MB of text) and a few times the text of the repository at hand (0.25 GB measured for
one of 35 MB). Disk: twice the tokens. Cost: about 8 MB/s a core, four fifths of it the tokenizer's.
"""

import functools
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.settings import as_json
from starloom.the_stack import tables
from starloom.tokens import redacted, shards
from starloom.tokens.fill_in_the_middle import FimSettings
from starloom.tokens.hub_format import FOLDER as TOKENIZER
from starloom.tokens.templates.repository import File, Piece, document
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace.stage import Done, Job, Stage

VERSION = 2
FOLDER = "tokens"
RUN_BYTES = 8 << 20  # of text that a worker takes at a time, cut at the next repository
_BATCH = 1 << 20  # characters encoded at a time: ids as Python numbers take 20 times their text
_COPY = 1 << 20  # tokens copied at a time


@dataclass(frozen=True)
class PackSettings:
    """`[pack]`."""

    seed: int = 0  # draws the order of files, which repositories tell their names, and what is cut where
    repository_rate: float = 0.5  # share of repositories that have any file cut for fill-in-the-middle; 0: none
    file_rate: float = 0.5  # share of those repositories' files that are cut
    spm_rate: float = 0.5  # share of the cut files that show the suffix first

    def __post_init__(self) -> None:
        self.fim()  # refuses what is no share

    def fim(self) -> FimSettings:
        return FimSettings(self.repository_rate, self.file_rate, self.spm_rate)


@dataclass(frozen=True)
class _Run:
    """In a worker: whole repositories that follow one another in the dataset."""

    rows: tuple[tuple[Path, int, int], ...]  # data file, first row, rows
    text_bytes: int
    tokenizer: Path
    sha256: str  # of its tokenizer.json
    settings: PackSettings
    tokens: Path  # scratch file: the payload
    pieces: Path  # scratch file: rows of PIECES, counted from the run's own start


@dataclass
class _Packed:
    """What a worker has to say of its run."""

    repo_names: list[str]
    tokens: list[int]  # of each repository's document
    text_bytes: int  # of their files, as UTF-8


def _run(job: Job) -> Done:
    tokenizer = Tokenizer.open(job.root / TOKENIZER)
    settings: PackSettings = job.settings.pack
    runs = list(_runs(job, settings, tokenizer.sha256))
    if not runs:
        raise UserError(
            f"{job.root / tables.DATASET} has no files to train on",
            "add sources, or see in `starloom report` which rule takes them",
        )
    with job.publish() as draft:
        packed: dict[Path, _Packed] = {}
        with progress.task("pack", sum(run.text_bytes for run in runs), "bytes") as bar:
            largest_first = sorted(runs, key=lambda run: -run.text_bytes)  # so that none is waited for at the end
            for run, found in job.engine.map(_pack, largest_first):
                packed[run.tokens] = found
                bar.advance(run.text_bytes)
        dtype = shards.dtype_of(tokenizer.vocabulary)
        total = shards.write_tokens(draft, _payload(runs, dtype), dtype)
        ordered = [packed[run.tokens] for run in runs]
        documents = _documents(ordered)
        draft.parquet("documents.parquet", shards.DOCUMENTS, [documents])
        draft.parquet("pieces.parquet", shards.PIECES, _pieces(runs, ordered))
        text = sum(one.text_bytes for one in ordered)
        draft.facts = {
            "tokens": total,
            "documents": len(documents),
            "vocabulary": tokenizer.vocabulary,
            "tokenizer": tokenizer.sha256,
            "dtype": dtype.name,
            "text_bytes": text,
            "fill_in_the_middle": tokenizer.markers is not None,
            **as_json(settings),
        }
    note = f"{progress.counted(total, 'tokens')}, {text / total:.2f} bytes per token"
    if tokenizer.markers is None and settings.repository_rate:
        note += "; nothing cut for fill-in-the-middle: the tokenizer has no tokens for it"
    return Done(text, note)


def _runs(job: Job, settings: PackSettings, sha256: str) -> Iterator[_Run]:
    """The training split, in order, cut before a repository once RUN_BYTES are together. Reads names and sizes only."""
    scratch = job.scratch("pack")
    rows: list[tuple[Path, int, int]] = []
    size = number = 0
    before = None

    def run() -> _Run:
        tokens, pieces = (scratch / f"{number:06d}.{kind}" for kind in ("bin", "arrow"))
        return _Run(tuple(rows), size, job.root / TOKENIZER, sha256, settings, tokens, pieces)

    for path in tables.dataset(job.root, "files", "train"):
        table = pq.read_table(path, columns=["repo_name", "length_bytes"])
        start = 0
        names, sizes = table.column("repo_name").to_pylist(), table.column("length_bytes").to_pylist()
        for row, (name, bytes_) in enumerate(zip(names, sizes, strict=True)):
            if name != before and size >= RUN_BYTES:
                if row > start:
                    rows.append((path, start, row - start))
                yield run()
                rows, size, number, start = [], 0, number + 1, row
            before = name
            size += bytes_
        if len(names) > start:
            rows.append((path, start, len(names) - start))
    if rows:
        yield run()


def _pack(run: _Run) -> _Packed:
    if parent_process() is not None:  # in the pool, which has a process for every core already
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizer = _tokenizer(run.tokenizer, run.sha256)
    dtype = shards.dtype_of(tokenizer.vocabulary)
    found = _Packed([], [], 0)
    at = 0
    with run.tokens.open("wb") as output, pa.ipc.new_stream(run.pieces, shards.PIECES) as pieces:
        for repo_name, files in _repositories(run.rows, tokenizer.marked):
            start, spans = at, _Spans()
            laid_out = document(
                repo_name, files, run.settings.seed, 0, run.settings.fim(), tokenizer.markers, tokenizer.end_of_text
            )
            for piece, ids in _encoded(laid_out, tokenizer, dtype):
                output.write(ids.tobytes())
                spans.add(piece.content_id, at, len(ids))
                at += len(ids)
            pieces.write_table(spans.table(len(found.tokens)))
            found.repo_names.append(repo_name)
            found.tokens.append(at - start)
            found.text_bytes += sum(len(file.content.encode()) for file in files)
    return found


@functools.lru_cache(maxsize=1)
def _tokenizer(folder: Path, _sha256: str) -> Tokenizer:
    """Opened once a worker: what makes it fast takes about a second to build."""
    return Tokenizer.open(folder)


def _repositories(rows: Sequence[tuple[Path, int, int]], tokens: Mapping[str, int]) -> Iterator[tuple[str, list[File]]]:
    """Each repository with its files; `tokens`: of markers."""
    for repo_name, files in itertools.groupby(_files(rows, tokens), key=itemgetter(0)):
        yield repo_name, [file for _, file in files]


def _files(rows: Sequence[tuple[Path, int, int]], tokens: Mapping[str, int]) -> Iterator[tuple[str, File]]:
    columns = ["repo_name", "path", "content_id", "content"]
    for path, first, count in rows:
        file = pq.ParquetFile(path)
        begins = 0  # of the row group
        for group in range(file.metadata.num_row_groups):
            ends = begins + file.metadata.row_group(group).num_rows
            start, stop = max(first, begins), min(first + count, ends)
            if start < stop:
                table = file.read_row_group(group, columns=[*columns, redacted.COLUMN])
                table = table.slice(start - begins, stop - start)
                values = (table.column(name).to_pylist() for name in columns)
                for repo_name, name, content_id, text, noted in zip(*values, redacted.noted(table), strict=True):
                    yield repo_name, File(name, content_id, text, redacted.markers(text, noted, tokens))
            begins = ends


def _encoded(pieces: list[Piece], tokenizer: Tokenizer, dtype: np.dtype[Any]) -> Iterator[tuple[Piece, NDArray[Any]]]:
    """Each piece with its ids. Some are encoded together, to keep all cores of an in-process run busy."""
    some: list[Piece] = []
    size = 0
    for number, piece in enumerate(pieces, 1):
        some.append(piece)
        size += len(piece.text or "")
        if size >= _BATCH or number == len(pieces):
            ids = iter(tokenizer.encode_batch([one.text for one in some if one.text is not None]))
            for one in some:
                yield one, np.array([one.special] if one.text is None else next(ids), dtype=dtype)
            some, size = [], 0


class _Spans:
    """Which content lies at which tokens: neighbours of one content are one span, its markers included."""

    def __init__(self) -> None:
        self.content_ids: list[str] = []
        self.starts: list[int] = []
        self.stops: list[int] = []

    def add(self, content_id: str | None, start: int, tokens: int) -> None:
        if content_id is None:
            return
        if self.content_ids and self.content_ids[-1] == content_id and self.stops[-1] == start:
            self.stops[-1] += tokens
        else:
            self.content_ids.append(content_id)
            self.starts.append(start)
            self.stops.append(start + tokens)

    def table(self, number: int) -> pa.Table:
        """As PIECES, of document `number`."""
        starts = np.array(self.starts, dtype=np.int64)
        lengths = np.array(self.stops, dtype=np.int64) - starts
        document = np.full(len(starts), number, dtype=np.int64)
        return pa.table([document, pa.array(self.content_ids, pa.string()), starts, lengths], schema=shards.PIECES)


def _payload(runs: list[_Run], dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    for run in runs:
        with run.tokens.open("rb") as file:
            while len(chunk := np.fromfile(file, dtype=dtype, count=_COPY)):
                yield chunk


def _documents(packed: list[_Packed]) -> pa.Table:
    tokens = np.array([count for one in packed for count in one.tokens], dtype=np.int64)
    names = pa.array([name for one in packed for name in one.repo_names], pa.string())
    numbers = np.arange(len(tokens), dtype=np.int64)
    return pa.table([numbers, names, np.cumsum(tokens) - tokens, tokens], schema=shards.DOCUMENTS)


def _pieces(runs: list[_Run], packed: list[_Packed]) -> Iterator[pa.Table]:
    """The workers' pieces, their numbers moved on by what comes before."""
    documents = tokens = 0
    for run, found in zip(runs, packed, strict=True):
        with pa.memory_map(str(run.pieces)) as source:
            for batch in pa.ipc.open_stream(source):
                number, content_id, first, length = batch.columns
                moved = [pc.add(number, documents), content_id, pc.add(first, tokens), length]
                yield pa.table(moved, schema=shards.PIECES)
        documents += len(found.tokens)
        tokens += sum(found.tokens)


def _forecast(job: Job) -> str:
    files = [pq.ParquetFile(path).metadata.num_rows for path in tables.dataset(job.root, "files", "train")]
    return f"pack {progress.counted(sum(files), 'files')}"


STAGE = Stage(
    name=shards.KIND,
    folder=FOLDER,
    version=VERSION,
    reads=(tables.DATASET, TOKENIZER),
    settings=lambda settings: settings.pack,
    run=_run,
    forecast=_forecast,
)

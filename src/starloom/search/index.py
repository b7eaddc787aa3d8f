"""The search index: made by the stage `search`, opened and asked by `SearchIndex`.

`search/` holds tantivy's segments (identifiers with frequencies, trigrams, names, filters), one row a file, and the
texts, each compressed by itself. Why the texts once more, beside the dataset's Parquet: a row group there has 16 MB,
40-70 ms to decode for every hit that lies elsewhere; here a file costs 40 µs, and the index answers for what it was
made of while the dataset is built anew. Why no positions: a quoted text may begin inside an identifier, so they spared
a phrase only a seventh of its false candidates, for 0.17x of the text.

tantivy names its segments at random and its threads cut them as they please: two runs over one dataset give equal
answers, not equal bytes. No stage reads this output, so none notices.
"""

import errno
import re
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.search import candidates
from starloom.search.candidates import Plan
from starloom.search.hits import Answer, hit
from starloom.search.matching import File, holds, license_terms
from starloom.search.query import fold, parse
from starloom.the_stack import tables
from starloom.workspace.atomic import Draft
from starloom.workspace.manifest import Manifest, open_folder, read_manifest, verify
from starloom.workspace.stage import Done, Job, Stage, standing

if TYPE_CHECKING:
    from tantivy import IndexWriter, Schema, Searcher

VERSION = 1
FOLDER: Final = "search"
SPLITS: Final = ("train", "held_out")
SECONDS: Final = 2.0  # a query may take to prove its candidates

_META, _SEGMENTS, _ROWS, _TEXTS = "meta.json", "tantivy", "files.parquet", "texts.zst"
_CODEC: Final = "zstd"
_MOST_THREADS: Final = 8  # tantivy's own limit
_HEAP: Final = 128 << 20  # bytes of a writer's thread before it writes a segment
_SORTED: Final = 200  # hits up to which equal scores are in the dataset's order; beyond, in the index's
_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # as Rust words what the system refused
_IDENTIFIER = re.compile("[0-9A-Za-z_]+")
_REMEDY: Final = "make it again: `starloom index search`"

_FROM_DATASET = ("content_id", "repo_name", "path", "language", "license_type", "detected_licenses", "revision_id")
FILES = pa.schema(
    [
        *map(tables.DATASET_FILES.field, _FROM_DATASET),
        pa.field("split", pa.string(), nullable=False),
        pa.field("text_start", pa.int64(), nullable=False),  # of its frame in texts.zst
        pa.field("text_size", pa.int64(), nullable=False),  # of the frame
        pa.field("text_bytes", pa.int64(), nullable=False),  # of the text in UTF-8
    ]
)


class SearchIndex:
    """An open index. Asked from any number of threads; writes nothing into the workspace."""

    def __init__(self, folder: Path, manifest: Manifest, stale: bool) -> None:
        self._folder = folder
        self._codec = pa.Codec(_CODEC)
        self.stale = stale  # the dataset was built anew since
        with self._blaming():
            rows = pq.read_table(folder / _ROWS, schema=FILES)
            self.files = len(rows)
            self._columns = {name: _whole(rows.column(name)) for name in FILES.names}
            places = [self._columns[name].to_numpy() for name in ("text_start", "text_size", "text_bytes")]
            self._starts, self._sizes, self._lengths = places
            self._texts = _mapped(folder / _TEXTS)
            self._searcher, self._schema = _open_segments(folder, manifest)
            if self._searcher.num_docs != self.files:
                raise UserError(f"{folder} holds parts of different indexes", _REMEDY)

    @classmethod
    def open(cls, root: Path) -> "SearchIndex":
        """The index of the workspace `root`. Raises UserError when it is missing, damaged or of another version."""
        folder = root / FOLDER
        try:
            manifest = open_folder(folder)
        except UserError as problem:
            raise UserError(problem.problem, _REMEDY) from None
        if manifest is None:
            raise UserError(f"no search index in {root}", "make it: `starloom index search`")
        if (manifest.kind, manifest.version) != (STAGE.name, VERSION):
            raise UserError(f"{folder} was made by another version of Starloom", _REMEDY)
        try:
            dataset = read_manifest(root / tables.DATASET)
        except UserError:  # the index does not need it
            dataset = None
        stale = dataset is None or standing(dataset) != manifest.inputs.get(tables.DATASET)
        return cls(folder, manifest, stale)

    def search(
        self, query: str, limit: int = 10, offset: int = 0, *, seconds: float = SECONDS, raw: bool = False
    ) -> Answer:
        """The `limit` best hits after the first `offset`; every one proved on its text. See `query` for the language.

        Best: BM25 of the words (and the rarest trigrams of other texts), then the dataset's order. After `seconds` the
        answer is what was proved so far. `raw`: snippets show what is private too. Raises UserError for a query that
        cannot be understood, a damaged index.
        """
        started = time.monotonic()
        asked = parse(query)
        limit, offset = max(limit, 0), max(offset, 0)
        with self._blaming():
            found = candidates.plan(asked, self._searcher, self._schema)
            if found.unproved is None:
                total, complete, numbers = self._exact(found, limit + offset)
            else:
                numbers, complete = self._proved(found, started + seconds)
                total = len(numbers)
            shown = []
            for file in map(self._file, numbers[offset : offset + limit]):
                if not holds(asked, file):
                    raise UserError(f"{self._folder}: its words and its texts disagree", _REMEDY)
                shown.append(hit(asked, file, raw))
        return Answer(total, complete, time.monotonic() - started, shown)

    def _exact(self, found: Plan, wanted: int) -> tuple[int, bool, list[int]]:
        """(how many there are, True, the first `wanted` or more): the index alone knows."""
        scored, total = self._ask(found, max(wanted, _SORTED))
        if found.ranked and total <= _SORTED:
            scored.sort(key=lambda one: (-one[0], one[1]))
        return total, True, [number for _, number in scored]

    def _proved(self, found: Plan, deadline: float) -> tuple[list[int], bool]:
        """(those of the candidates that hold, in order; whether all were looked at)."""
        assert found.unproved is not None
        scored, _ = self._ask(found, self.files)
        if found.ranked:
            scored.sort(key=lambda one: (-one[0], one[1]))
        proved: list[int] = []
        for _, number in scored:
            if time.monotonic() > deadline:
                return proved, False
            if holds(found.unproved, self._file(number)):
                proved.append(number)
        return proved, True

    def _ask(self, found: Plan, most: int) -> tuple[list[tuple[float, int]], int]:
        """((score, number of the file) of the best `most`, how many there are)."""
        most = max(min(most, self.files), 1)  # tantivy wants room for them all, and for one at least
        if not found.ranked:
            result = self._searcher.search(found.candidates, most, order_by_field=candidates.NUMBER, order=_ascending())
            return [(0.0, int(number)) for number, _ in result.hits], int(result.count)  # type: ignore[attr-defined]
        result = self._searcher.search(found.candidates, most)
        numbers = self._searcher.fast_field_values(candidates.NUMBER, [address for _, address in result.hits])
        scores = [float(score) for score, _ in result.hits]
        return list(zip(scores, map(int, numbers))), int(result.count)  # type: ignore[attr-defined,arg-type]

    def _file(self, number: int) -> File:
        return File(partial(self._value, number), partial(self._text, number))

    def _value(self, number: int, name: str) -> Any:
        return self._columns[name][number].as_py()

    def _text(self, number: int) -> str:
        start, size = int(self._starts[number]), int(self._sizes[number])
        with memoryview(self._texts) as texts, texts[start : start + size] as frame:
            data: bytes = self._codec.decompress(frame, int(self._lengths[number]), asbytes=True)
        return data.decode()

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        """What goes wrong because a file is not what was written, as UserError; tantivy's panics are no Exception."""
        try:
            yield
        except (UserError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as problem:
            if damage := verify(self._folder):
                raise UserError(f"the search index is damaged: {damage[0]}", _REMEDY) from problem
            raise


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _ascending() -> Any:
    from tantivy import Order

    return Order.Asc


def _mapped(path: Path) -> mmap | bytes:
    """The file's content, in memory where it is read. It is never cut while open: published folders are replaced."""
    with path.open("rb") as file:
        return mmap(file.fileno(), 0, access=ACCESS_READ) if path.stat().st_size else b""


def _open_segments(folder: Path, manifest: Manifest) -> tuple["Searcher", "Schema"]:
    """tantivy writes a lock file wherever it opens an index: so it opens a folder of links, which then goes.

    Its segments stay mapped, whatever becomes of the names.
    """
    import tantivy

    prefix = f"{_SEGMENTS}/"
    with tempfile.TemporaryDirectory(prefix="starloom-search-", ignore_cleanup_errors=True) as name:
        for one in manifest.files:
            if one.name.startswith(prefix):
                (Path(name) / one.name.removeprefix(prefix)).symlink_to((folder / one.name).resolve())
        index = tantivy.Index.open(name)
        index.config_reader("manual")  # else it watches the folder
        return index.searcher(), index.schema


# The stage


def _run(job: Job) -> Done:
    parts = [(split, path) for split in SPLITS for path in tables.dataset(job.root, "files", split)]
    total = sum(_text_bytes(path) for _, path in parts)
    with job.publish() as draft:
        folder = draft.worker_folder()
        writer = _writer(folder, job.engine.workers)
        rows: list[pa.Table] = []
        with progress.task("index", total) as bar, draft.create(_TEXTS) as texts, _disk_errors(folder):
            codec = pa.Codec(_CODEC, 3)
            for split, path in parts:
                file = pq.ParquetFile(path)
                for group in range(file.metadata.num_row_groups):
                    table = file.read_row_group(group, columns=[*_FROM_DATASET, "content"])
                    rows.append(_add(writer, codec, texts, table, split, sum(map(len, rows))))
                    writer.commit()  # else 10,000 files wait in a queue while the bar says they are done
                    bar.advance(int(pc.sum(rows[-1].column("text_bytes")).as_py() or 0))
        with progress.task("index: merge", 1, "merges") as bar, _disk_errors(folder):
            writer.wait_merging_threads()
            bar.advance(1)
        draft.parquet(_ROWS, FILES, rows)
        _adopt(draft, folder)
        files = sum(map(len, rows))
        text = sum(int(pc.sum(table.column("text_bytes")).as_py() or 0) for table in rows)
        draft.facts = {"files": files, "text_bytes": text}
    size = draft.manifest.bytes if draft.manifest else 0
    share = f", {size / text:.2f}x of the text" if text else ""
    return Done(text, f"{progress.counted(files, 'files')}{share}")


def _text_bytes(path: Path) -> int:
    return int(pc.sum(pq.read_table(path, columns=["length_bytes"]).column(0)).as_py() or 0)


def _writer(folder: Path, workers: int) -> "IndexWriter":
    """For one file a document: nothing is stored but its number."""
    import tantivy
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = tantivy.SchemaBuilder().add_unsigned_field(candidates.NUMBER, fast=True)
    builder.add_text_field(candidates.CODE, tokenizer_name="identifiers", index_option="freq")
    builder.add_text_field(candidates.CASED, tokenizer_name="cased", index_option="freq")
    for field in (candidates.GRAMS, candidates.REPO_GRAMS, candidates.PATH_GRAMS):
        builder.add_text_field(field, tokenizer_name="trigrams", index_option="basic")
    for field in (candidates.LANGUAGE, candidates.LICENSE):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    index = tantivy.Index(builder.build(), path=str(folder))
    for name, tokenizer in (
        ("identifiers", Tokenizer.regex(candidates.IDENTIFIER.pattern)),
        ("cased", Tokenizer.whitespace()),  # `_add` finds them: it is three times as fast as another regex here
    ):
        shorter = Filter.remove_long(candidates.LONGEST_WORD)
        index.register_tokenizer(name, TextAnalyzerBuilder(tokenizer).filter(shorter).build())
    index.register_tokenizer("trigrams", TextAnalyzerBuilder(Tokenizer.ngram(3, 3)).build())
    threads = min(max(workers, 1), _MOST_THREADS)
    return index.writer(_HEAP * threads, threads)


def _add(writer: "IndexWriter", codec: pa.Codec, texts: Any, table: pa.Table, split: str, first: int) -> pa.Table:
    """Adds the files of a row group, the first with the number `first`; returns their rows of FILES."""
    from tantivy import Document

    rows = table.drop_columns(["content"])
    starts, sizes, lengths = [], [], []
    for number, (row, content) in enumerate(zip(rows.to_pylist(), table.column("content").to_pylist()), first):
        text = content or ""
        data = text.encode()
        frame = codec.compress(data, asbytes=True)
        starts.append(texts.tell())
        sizes.append(texts.write(frame))
        lengths.append(len(data))
        folded = fold(text)
        document = Document()
        document.add_unsigned(candidates.NUMBER, number)
        document.add_text(candidates.CODE, folded)
        document.add_text(candidates.CASED, " ".join(w for w in _IDENTIFIER.findall(text) if w != w.lower()))
        document.add_text(candidates.GRAMS, folded + candidates.PAD)
        document.add_text(candidates.REPO_GRAMS, fold(row["repo_name"] or "") + candidates.PAD)
        document.add_text(candidates.PATH_GRAMS, fold(row["path"] or "") + candidates.PAD)
        document.add_text(candidates.LANGUAGE, (row["language"] or "").lower())
        for license in license_terms(row["license_type"], row["detected_licenses"]):
            document.add_text(candidates.LICENSE, license)
        writer.add_document(document)
    rows = rows.append_column("split", pa.array([split] * len(rows), pa.string()))
    for name, values in (("text_start", starts), ("text_size", sizes), ("text_bytes", lengths)):
        rows = rows.append_column(name, pa.array(values, pa.int64()))
    return rows.select(FILES.names).cast(FILES)


def _adopt(draft: Draft, folder: Path) -> None:
    """Takes what a reader needs: the segments that meta.json names, and itself. The rest goes with the folder."""
    meta = (folder / _META).read_bytes()
    for path in sorted(folder.iterdir()):
        if path.stem.encode() in meta.replace(b"-", b"") and path.name != _META:
            draft.adopt(path, f"{_SEGMENTS}/{path.name}", None)
    draft.write(f"{_SEGMENTS}/{_META}", meta)


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """What the file system refuses tantivy, which it words as ValueError, as OSError: the publication explains it."""
    try:
        yield
    except ValueError as problem:
        if found := _OS_ERROR.search(str(problem)):
            raise OSError(int(found[1]), errno.errorcode.get(int(found[1]), "?"), str(folder)) from problem
        raise


STAGE = Stage(
    name="search",
    folder=FOLDER,
    version=VERSION,
    reads=(tables.DATASET,),
    settings=lambda _settings: {"unicode": unicodedata.unidata_version},  # lower case is what Python says it is
    run=_run,
    forecast=lambda _job: "index the dataset's text",
)

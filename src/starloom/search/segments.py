"""The second half of indexing: tantivy's segments, made of rows and texts; and several indexes put together as one.

tantivy names its segments at random: two runs over one dataset give equal answers, not equal bytes. No stage reads
them, so none notices. Cost: 9 MB of text a second of one core to make small ones, 40 to
merge them; memory: some 800 MB a process.
"""

import errno
import itertools
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from starloom.kernels.borders import border_terms
from starloom.kernels.index_terms import Terms, index_terms
from starloom.kernels.text import Int64s, UInt8s
from starloom.search import fields
from starloom.search.layout import META
from starloom.search.matching import license_terms
from starloom.search.nodes import fold

if TYPE_CHECKING:
    from tantivy import Document

FROM_ROWS: Final = (
    "repo_name",
    "path",
    "language",
    "license_type",
    "detected_licenses",
    "rank",
    "symbols",
)  # what a document is made of, beside its text
_HEAP: Final = 256 << 20  # bytes of a writer before it writes a segment
_BATCH: Final = 8 << 20  # bytes of text given to the kernel at a time
_FILES: Final = 8_000  # in a segment at first. Of those below 10,000 tantivy merges all, as if of one size
_TEXT: Final = 256 << 20  # bytes in a segment at first: tantivy takes in faster than it works
_DELETED: Final = 10_000  # rows in one query
MANY: Final = 8  # segments of about one size, which tantivy then merges
_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # as Rust words what the system refused


_Files: TypeAlias = "list[tuple[dict[str, Any], bytes]]"  # rows and their texts


def make(folder: Path, files: Iterable[tuple[dict[str, Any], bytes]], first: int) -> None:
    """tantivy's index of some rows (FROM_ROWS) with their texts, numbered from `first`, in an empty folder: small
    segments (they cost less), each in an index of its own, or tantivy would merge some of them now and all later."""
    import tantivy

    with disk_errors(folder):
        tantivy.Index(fields.schema(), path=str(folder))  # of no segments
        metas, number = [(folder / META).read_bytes()], first
        for segment, batches in itertools.groupby(_by_segment(_batches(files)), itemgetter(0)):
            part = folder / f"part-{segment}"
            part.mkdir()
            writer = tantivy.Index(fields.schema(), path=str(part)).writer(_HEAP, 1)
            for _, batch in batches:
                for document in _documents(batch, number):
                    writer.add_document(document)
                number += len(batch)
            writer.commit()
            writer.wait_merging_threads()
            for name in files_of(part):
                (part / name).rename(folder / name)
            metas.append((part / META).read_bytes())
            shutil.rmtree(part)
    put_together(folder, metas)


def _batches(files: Iterable[tuple[dict[str, Any], bytes]]) -> Iterator[_Files]:
    batch: _Files = []
    size = 0
    for file in files:
        batch.append(file)
        size += len(file[1])
        if size >= _BATCH or len(batch) == _FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _by_segment(batches: Iterable[_Files]) -> Iterator[tuple[int, _Files]]:
    segment = many = size = 0
    for batch in batches:
        if many + len(batch) > _FILES or size >= _TEXT:
            segment, many, size = segment + 1, 0, 0
        many += len(batch)
        size += sum(len(text) for _, text in batch)
        yield segment, batch


def _documents(batch: Sequence[tuple[dict[str, Any], bytes]], first: int) -> Iterator["Document"]:
    from tantivy import Document

    rows, texts = [row for row, _ in batch], [text for _, text in batch]
    paths = [row["path"] or "" for row in rows]
    names = [path.rpartition("/")[2].encode() for path in paths]
    folded = _joined(map(_folded, texts))
    code, parts, cased, grams = map(_strings, index_terms(*_joined(texts), *folded, _LONGEST))
    borders = _strings(border_terms(*folded))
    name, name_parts, _, path_grams = map(
        _strings, index_terms(*_joined(names), *_joined(fold(path).encode() for path in paths), _LONGEST)
    )
    repositories = _joined(fold(row["repo_name"] or "").encode() for row in rows)
    repo_grams = _strings(index_terms(*repositories, *repositories, _LONGEST).grams)
    for at, row in enumerate(rows):
        document = Document()
        document.add_unsigned(fields.NUMBER, first + at)
        document.add_unsigned(fields.RANK, row["rank"])
        document.add_text(fields.CODE, code[at])
        document.add_text(fields.PARTS, parts[at])
        document.add_text(fields.CASED, cased[at])
        document.add_text(fields.GRAMS, grams[at])
        document.add_text(fields.BORDERS, borders[at])
        document.add_text(fields.NAME, name[at] + name_parts[at])
        document.add_text(fields.PATH_GRAMS, path_grams[at])
        document.add_text(fields.REPO_GRAMS, repo_grams[at])
        document.add_text(fields.REPO, row["repo_name"] or "")
        if row["language"]:
            document.add_text(fields.LANGUAGE, row["language"])
        for license in license_terms(row["license_type"], row["detected_licenses"]):
            document.add_text(fields.LICENSE, license)
        symbols = set(row["symbols"] or ())
        for symbol in sorted(symbols):
            document.add_text(fields.CASED_SYMBOLS, symbol)
        for symbol in sorted(set(map(fold, symbols))):
            document.add_text(fields.SYMBOLS, symbol)
        yield document


_LONGEST = fields.LONGEST_WORD


def _folded(text: bytes) -> bytes:
    """What the kernel takes for the folded text: ASCII it folds itself."""
    return text if text.isascii() else fold(text.decode()).encode()


def _joined(texts: Iterable[bytes]) -> tuple[Int64s, UInt8s]:
    texts = list(texts)
    return np.cumsum([0, *map(len, texts)], dtype=np.int64), np.frombuffer(b"".join(texts), dtype=np.uint8)


def _strings(terms: Terms) -> list[str]:
    data = terms.data.tobytes().decode("ascii")
    return [data[start:end] for start, end in itertools.pairwise(terms.offsets.tolist())]


def warm() -> None:
    """Compiles the kernels, where that was not done before: else every worker does it for itself."""
    index_terms(*_joined([b"a"]), *_joined([b"a"]), _LONGEST)
    border_terms(*_joined([b"a"]))


# Indexes put together


def files_of(folder: Path) -> list[str]:
    """The names of the files that an index needs, but for META: those of its segments, and which rows of them are
    deleted, as of now."""
    wanted = {}
    for segment in _meta(folder)["segments"]:
        stem = segment["segment_id"].replace("-", "")
        deletes = segment["deletes"]
        wanted[stem] = f"{stem}.{deletes['opstamp']}.del" if deletes else None
    found = []
    for name in sorted(path.name for path in folder.iterdir()):
        stem = name.partition(".")[0]
        if stem in wanted and (not name.endswith(".del") or name == wanted[stem]):
            found.append(name)
    return found


def put_together(folder: Path, metas: Sequence[bytes]) -> None:
    """Writes the META of an index that has the segments of several, all of one schema; their files are, or will be, in
    `folder`."""
    bodies = [json.loads(one) for one in metas]
    body = bodies[0]
    body["segments"] = [segment for one in bodies for segment in one["segments"]]
    body["opstamp"] = max(one["opstamp"] for one in bodies)
    (folder / META).write_bytes(json.dumps(body, indent=2).encode())


def settle(folder: Path, gone: Int64s) -> None:
    """Deletes rows, by number, from an index; merges segments where there are many of about one size: of an index that
    is new, all, for each is a pass more of every question, and a third of the index is words they share. Files that
    were there are never written again, some are removed."""
    if not len(gone) and len(_meta(folder)["segments"]) < MANY:
        return
    import tantivy

    with disk_errors(folder):
        index = tantivy.Index.open(str(folder))
        writer = index.writer(_HEAP, 1)
        for start in range(0, len(gone), _DELETED):
            some = gone[start : start + _DELETED].tolist()
            writer.delete_documents_by_query(tantivy.Query.term_set_query(index.schema, fields.NUMBER, some))
        writer.commit()
        writer.wait_merging_threads()


def _meta(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / META).read_bytes())
    return found


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """What the file system refuses tantivy, which it words as ValueError, as OSError: the publication explains it."""
    try:
        yield
    except ValueError as problem:
        if found := _OS_ERROR.search(str(problem)):
            raise OSError(int(found[1]), errno.errorcode.get(int(found[1]), "?"), str(folder)) from problem
        raise

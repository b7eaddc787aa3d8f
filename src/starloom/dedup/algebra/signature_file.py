"""A file of signatures: what somebody needs to compare their texts with these, without having them.

Parquet, a row a text: `id` string, `content` 32 bytes (BLAKE2b of the text), `stream` 16 bytes (hash of its tokens),
`tokens` int32, `signature` 4 bytes a permutation, little-endian (null where the text has fewer than five tokens). The
metadata key `starloom.signatures` says in JSON how they were made. Size: about 1.1 KB a text.

Without a key, who holds a candidate text can sign it and see whether it is here. Signed with an agreed key, a file
tells that only to who has the key too: names are hashed, token counts left out, rows sorted by their hidden hashes.
What it still shows is how many rows there are and how much they resemble each other (see agreed_key).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.algebra.agreed_key import Key
from starloom.dedup.algebra.signatures import HASH, Signed, mapped_values, scratch_values, write_values
from starloom.dedup.signature import MinHashSettings
from starloom.errors import UserError

FORMAT = 1
_METADATA = b"starloom.signatures"
_FEW_ROWS = 1 << 20  # that any file may have; more than one a byte is a lie
_GROUP = 10_000  # rows of a row group: 10 MB of 256 permutations


@dataclass(frozen=True)
class Terms:
    """How signatures were made: two sides can be compared where these are equal."""

    tokenisation: str
    permutations: int
    seed: int | None  # None: of a key
    key_check: str | None  # None: signed without a key

    @classmethod
    def of(cls, settings: MinHashSettings, key: Key | None) -> "Terms":
        seed, check = (None, key.check) if key else (settings.seed, None)
        return cls(settings.tokenisation, settings.permutations, seed, check)

    def settings_of(self, seed: int) -> MinHashSettings:
        """With one band of one row. Raises UserError where a value is out of its range."""
        tokenisation: Any = self.tokenisation
        return MinHashSettings(tokenisation, 5, self.permutations, 1, 1, seed)

    def differences(self, other: "Terms") -> list[str]:
        """What stands in the way of comparing the two, in words."""
        found = []
        for name, value in asdict(self).items():
            theirs = getattr(other, name)
            if value != theirs and name != "key_check":
                found.append(f"{name} {value} and {theirs}")
        if self.key_check != other.key_check:
            both = self.key_check and other.key_check
            found = [one for one in found if not one.startswith("seed")]
            found.append("another key" if both else "only one of them is signed with a key")
        return found


def is_signature_file(path: Path) -> bool:
    """Whether `path` is Parquet that says so of itself. Raises nothing: what cannot be read is none."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                return False
        return _METADATA in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def write_signatures(
    sink: IO[bytes], ids: pa.ChunkedArray, signed: Signed, terms: Terms, key: Key | None = None, names: bool = True
) -> int:
    """Writes the file; returns its rows. Without `names` the ids are hashed (under the key, where there is one)."""
    schema = _schema(terms)
    rows = len(signed.content)
    order: NDArray[np.int64] = np.arange(rows)
    if key:
        order = np.lexsort(signed.content.view(">u8").T[::-1])
    writer = pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=False)
    try:
        with progress.task("write signatures", rows, "files") as bar:
            for start in range(0, rows, _GROUP):
                some = order[start : start + _GROUP]
                named = ids.take(pa.array(some))
                if not names:
                    named = pa.array([_hidden_name(one, key) for one in named.to_pylist()], pa.string())
                comparable = signed.comparable[some]
                tokens = None if key or signed.tokens is None else signed.tokens[some]
                columns = [
                    named.combine_chunks() if isinstance(named, pa.ChunkedArray) else named,
                    _packed(signed.content[some]),
                    _packed(signed.stream[some]),
                    pa.nulls(len(some), pa.int32()) if tokens is None else pa.array(tokens, pa.int32()),
                    _packed(signed.values[some], comparable),
                ]
                writer.write_table(pa.table(columns, schema=schema), row_group_size=_GROUP)
                bar.advance(len(some))
        writer.close()
    finally:
        writer.is_open = False  # or its destructor writes a footer under what failed
    return rows


def read_terms(path: Path) -> Terms:
    """How the signatures in `path` were made. Raises UserError where that cannot be read, or is of another format."""
    try:
        metadata = (pq.read_schema(path).metadata or {})[_METADATA]
        said = json.loads(metadata)
        version = said.pop("format")
        if version != FORMAT:
            raise UserError(
                f"{path} is a file of signatures of format {version!r}; this Starloom reads format {FORMAT}",
                "sign it again with this version, or use the version that wrote it",
            )
        terms = Terms(**{name: said[name] for name in ("tokenisation", "permutations", "seed", "key_check")})
        keyed = isinstance(terms.key_check, str) and terms.seed is None
        if type(terms.permutations) is not int or not (keyed or (terms.key_check is None and type(terms.seed) is int)):
            raise ValueError("its values make no sense")
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, AttributeError) as problem:
        raise _damaged(path, f"its description cannot be read ({problem})") from None
    try:
        terms.settings_of(terms.seed or 0)
    except UserError as problem:
        raise _damaged(path, problem.problem) from None
    if pq.read_schema(path) != _schema(terms):
        raise _damaged(path, "its columns are not those that its description promises")
    return terms


def read_signatures(path: Path, scratch: Path) -> tuple[pa.ChunkedArray, Signed, Terms]:
    """(ids, signatures in a scratch file, how they were made). Raises UserError for a damaged file."""
    terms = read_terms(path)
    try:
        with pq.ParquetFile(path) as file:
            return *_read(path, file, terms, scratch), terms
    except (pa.ArrowException, OSError) as problem:
        raise _damaged(path, str(problem).splitlines()[0]) from None


def _read(path: Path, file: pq.ParquetFile, terms: Terms, scratch: Path) -> tuple[pa.ChunkedArray, Signed]:
    rows = file.metadata.num_rows
    if rows > max(path.stat().st_size, _FEW_ROWS):
        raise _damaged(path, f"{rows:,} rows in {path.stat().st_size:,} bytes")
    target = scratch_values(scratch, rows, terms.permutations)
    content = np.zeros((rows, HASH), dtype=np.uint8)
    stream = np.zeros((rows, 2), dtype=np.uint64)
    comparable = np.zeros(rows, dtype=bool)
    tokens = np.zeros(rows, dtype=np.int32)
    ids: list[pa.Array] = []
    start = 0
    with progress.task("read signatures", rows, "files") as bar:
        for batch in _checked(path, file):
            some = slice(start, start + len(batch))
            ids.append(batch.column("id"))
            content[some] = _unpacked(batch.column("content"), np.uint8, HASH)
            stream[some] = _unpacked(batch.column("stream"), np.uint64, 2)
            signature = batch.column("signature")
            comparable[some] = signature.is_valid().to_numpy(zero_copy_only=False)
            tokens[some] = batch.column("tokens").fill_null(0).to_numpy()
            write_values(target, start, _unpacked(signature, np.uint32, terms.permutations))
            start += len(batch)
            bar.advance(len(batch))
    values, pages = mapped_values(target, rows, terms.permutations)
    told = None if terms.key_check else tokens
    return pa.chunked_array(ids, pa.string()), Signed(content, stream, comparable, values, told, None, pages)


def _checked(path: Path, file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    for batch in file.iter_batches(_GROUP):
        batch.validate(full=True)
        for name in ("id", "content", "stream"):
            if batch.column(name).null_count:
                raise _damaged(path, f"nulls in column {name}")
        yield batch


def _schema(terms: Terms) -> pa.Schema:
    said = json.dumps({"format": FORMAT, **asdict(terms)}, sort_keys=True)
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("content", pa.binary(HASH), nullable=False),
            pa.field("stream", pa.binary(16), nullable=False),
            ("tokens", pa.int32()),
            ("signature", pa.binary(4 * terms.permutations)),
        ],
        metadata={_METADATA: said},
    )


def _packed(rows: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """A fixed-size binary array of the rows of a matrix."""
    width = rows.shape[1] * rows.itemsize
    mask = None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    if valid is not None and mask is not None:
        rows = np.where(valid[:, None], rows, rows.dtype.type(0))
    data = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.Array.from_buffers(pa.binary(width), len(rows), [mask, data])


def _unpacked(column: pa.Array, kind: Any, width: int) -> NDArray[Any]:
    """The matrix in a fixed-size binary array; what a null holds is not to be used."""
    data = np.frombuffer(column.buffers()[1], dtype=kind)
    start = column.offset * width
    return data[start : start + len(column) * width].reshape(len(column), width)


def _hidden_name(name: str, key: Key | None) -> str:
    """16 hex digits; the same for the same name and key."""
    secret = key.ids if key else b""
    return hashlib.blake2b(name.encode(), digest_size=8, key=secret, person=b"starloom id").hexdigest()


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} is a damaged file of signatures: {why}", "ask for it again, or make it: starloom compare sign"
    )

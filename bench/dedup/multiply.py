"""A corpus multiplied by seeded edits: python bench/dedup/multiply.py FILES.parquet FOLDER --files 1000000 [--seed 1].

Of the texts of a real corpus (column `content`) come two kinds of files, always the same for one seed:

- Copies in another alphabet: letters and digits of the whole corpus are exchanged, each for another of its kind, so
  that one copy has nothing in common with the next while within it all is as it was: lengths, words that come again,
  and which files are how similar to which. The first copy is the corpus itself.
- Variants: one file in ten has a family, of s members with a probability as 1 / s^2, up to 1,000 and 20 MB. A member is
  that file with up to a quarter of its lines taken out or written anew, most often few: similarities from 0.4 to 1.

A third of the files are variants then; they come after the copy that they belong to, in mixed order. Where fewer files
are wanted than there are in one copy, every k-th text is taken. Texts of which more than a third is not ASCII are left
out, for the alphabets leave it as it is. Cost: about 100 MB/s; memory: the corpus and the variants of one copy.
"""

import argparse
import hashlib
import math
import random
import string
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_FAMILIES = 0.1  # of the files
_LARGEST = 1000
_FAMILY_BYTES = 20_000_000
_MOST_EDITED = 0.25  # of the lines
_MEMBERS = 1.5  # of a file and its variants, about
_ROWS = 1000  # in a row group
_SCHEMA = pa.schema([("row", pa.int64()), ("id", pa.string()), ("content", pa.string())])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    multiply(given.corpus, given.folder, given.files, given.seed)


def multiply(corpus: Path, folder: Path, files: int, seed: int = 1) -> None:
    """`files` texts in `folder`/part-*.parquet, a part for each copy, with their `row` over all parts and an `id`."""
    texts = [text.encode() for text in pq.read_table(corpus, columns=["content"]).column("content").to_pylist()]
    texts = [text for text in texts if sum(byte > 127 for byte in text[:2000]) * 3 <= len(text[:2000])]
    texts = texts[:: max(math.floor(len(texts) * _MEMBERS / files), 1)]
    folder.mkdir(parents=True, exist_ok=True)
    row = copy = 0
    while row < files:
        with pq.ParquetWriter(folder / f"part-{copy:04}.parquet", _SCHEMA, compression="zstd") as writer:
            for some in _batched(_copy(texts, copy, seed), files - row):
                columns = [range(row, row + len(some)), [one for one, _ in some], [text.decode() for _, text in some]]
                writer.write_table(pa.table(dict(zip(_SCHEMA.names, columns)), schema=_SCHEMA))
                row += len(some)
        copy += 1


def _copy(texts: list[bytes], copy: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(id, text) of one copy and of its variants."""
    alphabet = _alphabet(copy, seed)
    variants = []
    for number, text in enumerate(texts):
        written = text.translate(alphabet)
        yield f"{copy}/{number}", written
        chance = random.Random(f"{seed} {copy} {number}")
        for member in range(_members(chance, len(written))):
            variants.append((f"{copy}/{number}/{member}", edited(written, chance)))
    variants.sort(key=lambda one: hashlib.sha256(one[0].encode()).digest())
    yield from variants


def _alphabet(copy: int, seed: int) -> bytes:
    """A table for bytes.translate."""
    chance = random.Random(f"{seed} {copy}")
    letters, digits = list(string.ascii_lowercase), list(string.digits)
    if copy:
        chance.shuffle(letters)
        chance.shuffle(digits)
    small = "".join(letters)
    old = string.ascii_letters + string.digits
    return bytes.maketrans(old.encode(), (small + small.upper() + "".join(digits)).encode())


def _members(chance: random.Random, size: int) -> int:
    """How many variants a file has: none of most."""
    if chance.random() >= _FAMILIES or not size:
        return 0
    # P(S >= s) is about 1 / s, so P(S = s) about 1 / s^2.
    return min(int(1 / (1 - chance.random())), _LARGEST, max(_FAMILY_BYTES // size, 1))


def edited(text: bytes, chance: random.Random) -> bytes:
    """The text with some lines changed, one at least."""
    lines = text.splitlines(keepends=True)
    share = _MOST_EDITED * chance.random() ** 2
    for place in chance.sample(range(len(lines)), min(math.ceil(share * len(lines)), len(lines))):
        new = b"    v%x = f%x(w%x, %d)\n" % tuple(chance.getrandbits(24) for _ in range(4))
        lines[place] = new if chance.random() < 0.5 or len(lines) == 1 else b""
    return b"".join(lines)


def _batched(files: Iterator[tuple[str, bytes]], most: int) -> Iterator[list[tuple[str, bytes]]]:
    some: list[tuple[str, bytes]] = []
    for one in files:
        if most == 0:
            break
        most -= 1
        some.append(one)
        if len(some) == _ROWS:
            yield some
            some = []
    if some:
        yield some


if __name__ == "__main__":
    main()

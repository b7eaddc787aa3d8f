"""Files made to be hard: python bench/dedup/adversarial.py CASE TARGET.parquet [--files 50000].

one-bucket        near-identical files: every band has all of them in one bucket
same-half         files with one half in common, a similarity of about 0.6: nearly all are candidates, none is near
same-header       files with a third in common, about 0.2, as the same licence text above different code
empty             files without a byte
few-words         files of exactly five words
one-large         one file of 50 MB among a thousand ordinary ones
one-word          50 MB of one word, again and again
no-space          50 MB of one word without an end
"""

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

LARGE = 50_000_000  # bytes
_SCHEMA = pa.schema([("content", pa.large_string())])


def words(chance: random.Random, count: int) -> str:
    return " ".join(f"w{chance.getrandbits(32):x}" for _ in range(count))


def one_bucket(files: int) -> Iterator[str]:
    text = words(random.Random(1), 500)
    for number in range(files):
        yield f"{text} version {number}"


def same_part(share: float, files: int) -> Iterator[str]:
    """Files of 400 words with a Jaccard similarity of about share / (2 - share)."""
    same = words(random.Random(1), round(400 * share))
    for number in range(files):
        yield f"{same} {words(random.Random(number + 2), round(400 * (1 - share)))}"


def empty(files: int) -> Iterator[str]:
    for _ in range(files):
        yield ""


def few_words(files: int) -> Iterator[str]:
    for number in range(files):
        yield words(random.Random(number), 5)


def one_large(files: int) -> Iterator[str]:
    chance = random.Random(1)
    yield words(chance, LARGE // 10)
    for _ in range(min(files, 1000)):
        yield words(chance, 500)


def one_word(_: int) -> Iterator[str]:
    yield "the same word " * (LARGE // 14)
    yield "the same word " * (LARGE // 14 - 1)


def no_space(_: int) -> Iterator[str]:
    yield "x" * LARGE
    yield "x" * (LARGE - 1)


CASES: dict[str, Callable[[int], Iterator[str]]] = {
    "one-bucket": one_bucket,
    "same-half": lambda files: same_part(0.75, files),
    "same-header": lambda files: same_part(0.33, files),
    "empty": empty,
    "few-words": few_words,
    "one-large": one_large,
    "one-word": one_word,
    "no-space": no_space,
}


def write(case: str, files: int, target: Path) -> None:
    with pq.ParquetWriter(target, _SCHEMA, compression="zstd") as writer:
        some: list[str] = []
        for text in CASES[case](files):
            some.append(text)
            if len(some) == 5000:
                writer.write_table(pa.table({"content": some}, schema=_SCHEMA))
                some = []
        if some:
            writer.write_table(pa.table({"content": some}, schema=_SCHEMA))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("target", type=Path)
    parser.add_argument("--files", type=int, default=50_000)
    given = parser.parse_args()
    write(given.case, given.files, given.target)


if __name__ == "__main__":
    main()

"""The fields of the index, and what stands in them. Shared by those who make it and those who ask it.

A word is a whole identifier (ASCII letters, digits, _) or a part of one, see `identifiers`. Every term is in a file's
list once: the index keeps neither frequencies nor places, so the order of hits does not depend on how it was cut.

| field | terms of a file |
|---|---|
| `number` | its row in the shard |
| `rank` | its place among hits of one tier, ascending: `rank` |
| `code` | whole identifiers, folded |
| `parts` | parts of identifiers, folded, that are no whole identifier of the file |
| `cased` | whole identifiers and parts that have a capital, as they are written |
| `grams` | trigrams of the folded text's bytes: `gram_term` |
| `borders` | where an identifier ends and the next begins, hashed: `borders` |
| `sym`, `cased_sym` | names that it defines, whole: folded; as they are written |
| `name` | words of the last part of its path, folded |
| `repo_grams`, `path_grams` | trigrams of both names, folded |
| `lang`, `license`, `repo` | whole: the language's name, `matching.license_terms`, the repository's name |

Words of LONGEST_WORD bytes and more are left out. Folded: `query.fold`, which makes no ASCII character
of any other and none else of an ASCII one. What gives trigrams has PAD behind it, so that its last two bytes have one.
"""

import hashlib
import string
from typing import TYPE_CHECKING, Final

from starloom.languages import is_test
from starloom.search import identifiers

if TYPE_CHECKING:
    from tantivy import Schema

NUMBER, RANK = "number", "rank"
CODE, PARTS, CASED, GRAMS, BORDERS = "code", "parts", "cased", "grams", "borders"
SYMBOLS, CASED_SYMBOLS = "sym", "cased_sym"
NAME, REPO_GRAMS, PATH_GRAMS = "name", "repo_grams", "path_grams"
LANGUAGE, LICENSE, REPO = "lang", "license", "repo"

LONGEST_WORD: Final = identifiers.LONGEST
PAD: Final = "\n"
ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # of a trigram's term

_TWELVE_BITS: Final = tuple(first + second for first in ALPHABET for second in ALPHABET)
_STEPS: Final = 16  # of stars
_HASH_BITS: Final = 56


def schema() -> "Schema":
    """Nothing is stored: the rows are in files.arrow. Terms of texts are given ready, with a space between them."""
    import tantivy

    builder = tantivy.SchemaBuilder().add_unsigned_field(NUMBER, indexed=True, fast=True)  # indexed: to be deleted by
    builder.add_unsigned_field(RANK, fast=True)
    for field in (CODE, PARTS, CASED, GRAMS, BORDERS, NAME, REPO_GRAMS, PATH_GRAMS):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="basic")
    for field in (SYMBOLS, CASED_SYMBOLS):  # of some languages with spaces
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    for field in (LANGUAGE, LICENSE, REPO):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic", fast=True)
    return builder.build()


def gram_term(gram: bytes) -> str:
    """The term of three bytes: four characters of six bits.

    >>> gram_term(b"if ")
    'aWYg'
    """
    bits = int.from_bytes(gram, "big")
    return _TWELVE_BITS[bits >> 12] + _TWELVE_BITS[bits & 0xFFF]


def rank(repo_name: str, path: str, content_id: str, is_vendor: bool, is_generated: bool, stars: int) -> int:
    """uint64, less is better: own code before tests, vendored and generated files; then by stars, in steps of doubling;
    then by chance, the same wherever the file is indexed. No two files have one (but for a chance of 1 in 2^56)."""
    kind = 3 if is_generated else 2 if is_vendor else 1 if is_test(path) else 0
    step = max(_STEPS - 1 - max(stars, 0).bit_length(), 0)
    digest = hashlib.blake2b(
        f"{repo_name}\0{path}\0{content_id}".encode(), digest_size=_HASH_BITS // 8, person=b"starloom-rank"
    )
    return (kind << 4 | step) << _HASH_BITS | int.from_bytes(digest.digest(), "big")

"""Corpus algebra: what two collections of texts have in common, exactly and nearly, and what only one of them has.

    a = Side("a", ids, sign_files(engine, files, settings, scratch), files)
    found = compare(engine, "diff", a, b, settings=settings, threshold=0.7, scratch=scratch)
    print(words(found, settings, limit=20))

A side may be signatures that somebody else has made (`read_signatures`), public or under an agreed `Key`; `agreed` says
by which settings the other side is to be signed. Importing this package brings no Numba.
"""

from starloom.dedup.algebra.agreed_key import Key
from starloom.dedup.algebra.agreement import agreed
from starloom.dedup.algebra.comparison import Comparison, Copies, Operation, Side, compare, result, selected
from starloom.dedup.algebra.signature_file import (
    Terms,
    is_signature_file,
    read_signatures,
    read_terms,
    write_signatures,
)
from starloom.dedup.algebra.signatures import Signed, sign_files
from starloom.dedup.algebra.words import to_json, words

__all__ = [
    "Comparison",
    "Copies",
    "Key",
    "Operation",
    "Side",
    "Signed",
    "Terms",
    "agreed",
    "compare",
    "is_signature_file",
    "read_signatures",
    "read_terms",
    "result",
    "selected",
    "sign_files",
    "to_json",
    "words",
    "write_signatures",
]

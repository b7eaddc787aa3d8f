"""What a file's words are: comments, documentation, strings, identifiers, prose (definitions: kernels/lexical).

A column is null where its language is not known to have such a thing: comments and documentation where
languages/comments has no row or no comments, strings where it has none, all but comments and prose in markup and prose.
The version rises with comments.tsv too: tests/the_stack/test_lexical.py tells.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    from starloom.kernels.lexical import lexical_counts
    from starloom.languages.comments import known, packed, place

    languages = batch.languages or ()
    place_of = {language: place(language) for language in set(languages)}
    places = np.array([place_of[language] for language in languages], np.int32)
    found = lexical_counts(batch.offsets, batch.data, places, packed()[1])
    comments, strings, code = (column[places] & (places >= 0) for column in known())
    solid, characters = np.maximum(found.solid, 1), np.maximum(found.characters, 1)
    identifiers = code & (found.identifiers > 0)
    length = found.identifier_characters / np.maximum(found.identifiers, 1)
    return [
        _array(found.comment_characters / solid, comments, np.float32),
        _array(found.documented, comments & code, np.bool_),
        _array(length, identifiers, np.float32),
        _array(found.string_characters / characters, strings, np.float32),
        _array(found.longest_string, strings, np.int32),
        pa.array((found.prose_characters / solid).astype(np.float32)),
    ]


def _array(values: NDArray[Any], there: NDArray[np.bool_], kind: type[Any]) -> pa.Array:
    return pa.array(values.astype(kind), mask=~there)


SIGNAL = Signal(
    name="lexical",
    version=1,
    columns=pa.schema(
        [
            ("comment_fraction", pa.float32()),  # of characters but white space: in comments and docstrings, with marks
            ("has_docstring", pa.bool_()),  # a documentation comment or docstring
            ("avg_identifier_length", pa.float32()),  # characters; keywords left out; null without identifiers
            ("string_fraction", pa.float32()),  # of characters: in string literals, with quotes
            ("longest_string", pa.int32()),  # characters of a literal, or of a piece between code in it, with quotes
            ("prose_fraction", pa.float32()),  # of characters but white space: words four or more in a row
        ]
    ),
    measure=_measure,
    needs_language=True,
)

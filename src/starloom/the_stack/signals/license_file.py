"""The licence that a licence file is: its text recognised as a whole, among files named like one (see licenses/).

What is not recognised is kept, for ScanCode (see the_stack/scan). A file that is by its name a licence, and whose text
nobody recognises, is an unknown licence: nobody may take it for none.
"""

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.languages.detect import extension
from starloom.licenses.candidates import is_license_candidate, is_license_text
from starloom.licenses.canonical import canonical, text_id
from starloom.licenses.plain import is_plainly_permissive
from starloom.licenses.statements import is_metadata
from starloom.licenses.texts import recognise
from starloom.the_stack.signal import Batch, Signal

MAX_SCANNED = 200_000  # characters of a text that ScanCode is asked about

_PROSE = frozenset(["", "txt", "text", "md", "markdown", "rst", "adoc", "html", "htm", "tex", "rtf"])

# Without one of these no scanner finds a licence.
_WORDS = ("licens", "licenc", "copyright", "copyleft", "permission", "redistribut", "public domain", "gpl", "warrant")
_SPEAKS = re.compile("|".join(_WORDS), re.IGNORECASE)


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    rows = [_license(*one) for one in zip(batch.file_names or (), batch.texts, strict=True)]
    return [
        pa.array(column, field.type)
        for column, field in zip(zip(*rows) if rows else [[]] * len(SIGNAL.columns), SIGNAL.columns)
    ]


def _license(file_name: str, text: str) -> tuple[Any, ...]:
    """The columns of SIGNAL for one file."""
    is_license = is_license_text(file_name) and bool(text.strip())
    if found := recognise(text):
        return found.expression, is_license, False, None, None, None
    # What a README says of its licence, `licenses/statements` reads; the rest of it is about other things. Code and
    # data whose names the pattern takes for a licence (about.py, gpl-3.0_466.RULE) have notices, another signal.
    asked = is_license or extension(file_name) in _PROSE
    if not asked or len(text) > MAX_SCANNED or is_metadata(file_name) or not _speaks(text):
        return None, is_license, False, None, None, None
    plain = canonical(text)
    return None, is_license, is_plainly_permissive(text), text_id(plain.text), plain.text, plain.lines


def _speaks(text: str) -> bool:
    if text.isascii():  # some letters beyond are `i` or `s` to a pattern
        lower = text.lower()
        return any(word in lower for word in _WORDS)
    return _SPEAKS.search(text) is not None


SIGNAL = Signal(
    name="license_file",
    version=5,
    columns=pa.schema(
        [
            ("file_license", pa.string()),
            ("is_license", pa.bool_()),  # by its name it is nothing else
            ("is_plain", pa.bool_()),  # unrecognised, but plainly permissive (licenses/plain)
            ("text_id", pa.string()),
            ("text", pa.string()),  # canonical (licenses/canonical)
            ("text_lines", pa.list_(pa.int32())),  # the line of the file for each of its lines
        ]
    ),
    measure=_measure,
    needs_name=True,
    wants_name=is_license_candidate,
)

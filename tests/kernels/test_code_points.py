"""The shipped table says what the running Python says, where both know the same Unicode."""

import unicodedata

import pytest

from starloom.kernels import code_points


def test_the_table_is_what_python_says():
    if unicodedata.unidata_version != code_points.UNICODE_VERSION:
        pytest.skip(f"this Python has Unicode {unicodedata.unidata_version}")
    assert code_points._TABLE.read_text(encoding="ascii") == code_points.describe()


def test_the_table_names_its_unicode_version():
    assert code_points._TABLE.read_text(encoding="ascii").startswith(f"# Unicode {code_points.UNICODE_VERSION}:")


@pytest.mark.parametrize(
    ("character", "alpha", "alphanumeric", "word", "lower"),
    [
        ("A", True, True, True, "a"),
        ("7", False, True, True, "7"),
        ("_", False, False, True, "_"),
        ("-", False, False, False, "-"),
        ("É", True, True, True, "é"),
        ("Ā", True, True, True, "ā"),  # from an alternating block
        ("½", False, True, True, "½"),  # numeric, no digit
        ("Σ", True, True, True, "σ"),
        ("𞤀", True, True, True, "𞤢"),  # beyond the basic plane
        ("\u0307", False, False, False, "\u0307"),  # a combining mark is no word character in `re`
        ("\U000e0100", False, False, False, "\U000e0100"),
    ],
)
def test_classes(character, alpha, alphanumeric, word, lower):
    value = int(code_points.properties()[ord(character)])
    assert bool(value & code_points.ALPHA) is alpha
    assert bool(value & code_points.ALPHANUMERIC) is alphanumeric
    assert bool(value & code_points.WORD) is word
    assert chr(value & code_points.LOWER) == lower

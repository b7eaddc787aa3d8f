"""What a line is, and how long."""

import numpy as np
import pyarrow as pa
import pytest

from starloom.kernels import lines, text


@pytest.mark.parametrize(
    ("content", "num_lines", "longest", "average", "characters"),
    [
        ("", 0, 0, 0.0, 0),
        ("\n", 1, 0, 0.0, 1),
        ("a", 1, 1, 1.0, 1),
        ("a\n", 1, 1, 1.0, 2),  # the end of the last line starts no new one
        ("a\n\n", 2, 1, 0.5, 3),
        ("ab\r\nc\r\n", 2, 2, 1.5, 7),  # "\r\n" is no character of the line
        ("a\rb\n", 1, 3, 3.0, 4),  # a lone "\r" is
        ("a\r\r\n", 1, 2, 2.0, 4),  # one "\r" belongs to the end
        ("a\n\r", 2, 1, 0.5, 3),
        ("a\u2028b", 1, 3, 3.0, 3),  # other separators of str.splitlines are characters
        ("é中😀\nx", 2, 3, 2.0, 5),  # code points, not bytes
    ],
)
def test_lines(content, num_lines, longest, average, characters):
    found = lines.line_statistics(*text.text_buffers(pa.array([content])))
    assert found.num_lines.tolist() == [num_lines]
    assert found.max_line_length.tolist() == [longest]
    assert found.avg_line_length.tolist() == [average]
    assert found.characters.tolist() == [characters]


def test_fractions():
    found = lines.line_statistics(*text.text_buffers(pa.array(["ab1_", "é½ \n", ""])))
    assert found.alpha_fraction.tolist() == [0.5, 0.25, 0.0]
    assert found.alphanum_fraction.tolist() == [0.75, 0.5, 0.0]


@pytest.mark.parametrize("before", [0, 1, 62, 63, 64, 65, 130])
def test_characters_beyond_ascii_among_others(before):
    """Wherever they stand in the 64 bytes that are compared at once, and beside their ends."""
    contents = [
        "a1 " * before + mark + "_b2" * after for mark in ("é", "中½", "😀", "٣²") for after in (0, 1, 21, 22, 50)
    ]
    found = lines.line_statistics(*text.text_buffers(pa.array(contents)))
    for name, told in (("alpha_fraction", str.isalpha), ("alphanum_fraction", str.isalnum)):
        assert getattr(found, name).tolist() == [np.float32(sum(map(told, one)) / len(one)) for one in contents]


def test_types():
    found = lines.line_statistics(*text.text_buffers(pa.array(["a"])))
    assert [str(column.dtype) for column in found] == [
        "int32",
        "int32",
        "float32",
        "int64",
        "float32",
        "float32",
    ]

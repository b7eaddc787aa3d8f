"""Requests: what is refused, before any model is asked; pieces put together."""

import math
import subprocess
import sys

import pytest

from starloom.completion.request import Completion, Piece, Request, gathered
from starloom.errors import UserError


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("max_tokens", 0, "max_tokens is 0"),
        ("max_tokens", -3, "max_tokens is -3"),
        ("temperature", -0.1, "temperature is -0.1"),
        ("temperature", math.nan, "temperature is nan"),
        ("temperature", math.inf, "temperature is inf"),
        ("top_p", 0.0, "top_p is 0"),
        ("top_p", 1.01, "top_p is 1.01"),
        ("top_p", math.nan, "top_p is nan"),
        ("stop", ("",), "empty or too long"),
        ("stop", ("x" * 1001,), "empty or too long"),
        ("stop", ("x",) * 17, "17 stop strings"),
        ("seed", 2**64, "seed is"),
        ("seed", -(2**63) - 1, "seed is"),
    ],
)
def test_refused(field, value, word):
    with pytest.raises(UserError, match=word) as caught:
        Request("x", **{field: value})
    assert caught.value.hint


@pytest.mark.parametrize(
    "values",
    [
        {"max_tokens": 1, "temperature": 0, "top_p": 1},
        {"temperature": 100, "top_p": 1e-9, "seed": 2**64 - 1, "stop": ("x" * 1000,) * 16},
        {"seed": -(2**63)},
    ],
)
def test_the_limits_themselves_are_accepted(values):
    Request("x", **values)


@pytest.mark.parametrize(("prompt", "suffix"), [("", None), ("", ""), ((), None)])
def test_nothing_to_complete(prompt, suffix):
    with pytest.raises(UserError, match="the prompt is empty"):
        Request(prompt, suffix=suffix)
    Request("", suffix="x")


def test_a_suffix_needs_text():
    with pytest.raises(UserError, match="suffix with a prompt of token ids"):
        Request((1, 2), suffix="x")


def test_pieces_are_gathered():
    pieces = [Piece("a", None, 5, 1), Piece("", None, 5, 2), Piece("b", "length", 5, 3, True)]
    assert gathered(pieces) == Completion("ab", "length", 5, 3, True)


def test_requests_need_no_torch():
    script = "import sys, starloom.completion.request, starloom.completion.text; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

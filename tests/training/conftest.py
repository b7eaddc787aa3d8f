"""Workspaces that training can read."""

import pytest

from training import packing


@pytest.fixture
def packed(tmp_path):
    """`packed(tokens=…)`: the root of a workspace with a tokenizer and that many tokens."""
    return lambda tokens=4000, name="packed", **options: packing.workspace(tmp_path / name, tokens, **options)

"""One small model for the folder's tests."""

import pytest

from completion import building
from starloom.completion.local import LocalCompleter


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The folder of a random StarCoder2 with a window of 96 tokens, and its tokenizer."""
    return building.model_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def completer(tiny):
    return LocalCompleter.open(tiny)

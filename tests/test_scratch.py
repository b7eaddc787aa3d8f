"""Folders for scratch: there while the block runs, gone after it whatever happened."""

import os
import signal

import pytest

from starloom.errors import UserError
from starloom.scratch import scratch_folder


def test_it_is_there_and_goes_with_what_it_holds(tmp_path):
    with scratch_folder("some-", tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith("some-")
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "a").mkdir()
        (folder / "a" / "b").write_text("c")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError), scratch_folder("some-", tmp_path):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_interrupted_while_it_is_made(tmp_path, monkeypatch):
    """The signal is handled as the call returns that has made the folder: before anybody knows of it."""
    mkdir = os.mkdir

    def made(*args, **kwargs):
        mkdir(*args, **kwargs)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "mkdir", made)
    with pytest.raises(KeyboardInterrupt), scratch_folder("some-", tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_where_none_can_be_made(tmp_path):
    with (
        pytest.raises(UserError, match="nowhere: no folder can be made here") as refusal,
        scratch_folder("some-", tmp_path / "nowhere"),
    ):
        pass
    assert "TMPDIR" in refusal.value.hint

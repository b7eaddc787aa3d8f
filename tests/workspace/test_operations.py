"""What the machine refuses, in words: the remedy fits what may have been done, and a bug keeps its traceback."""

import errno
import os
from pathlib import Path

import pytest

from starloom.errors import UserError
from starloom.workspace.operations import explained, refused


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP])
def test_what_was_only_read_needs_no_folder_to_write_into(code):
    told = refused(OSError(code, os.strerror(code), "/somewhere/closed"))
    assert told.problem == f"/somewhere/closed: {os.strerror(code)}"
    assert "writable" not in told.hint
    with pytest.raises(UserError) as written, explained(Path("/somewhere/closed")):
        raise OSError(code, os.strerror(code), "/somewhere/closed")
    assert written.value.hint != told.hint


def test_a_folder_that_one_may_not_enter():
    told = refused(PermissionError(errno.EACCES, "Permission denied", b"/closed/a.py"))
    assert (told.problem, told.hint.partition(",")[0]) == (
        "/closed/a.py: Permission denied",
        "see that you may read and write there",
    )


@pytest.mark.parametrize(
    ("code", "is_told"),
    [
        *((code, True) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)),
        *((code, False) for code in (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP, errno.EMFILE)),
        (errno.ENOENT, False),
    ],
)
def test_without_a_path_only_the_device_is_to_blame(code, is_told):
    told = refused(OSError(code, os.strerror(code)))
    assert (told is not None) == is_told
    assert told is None or os.strerror(code) in told.problem


def test_of_a_file_that_is_not_there_a_bug_may_be_the_reason():
    assert refused(FileNotFoundError(errno.ENOENT, "No such file or directory", "/nowhere")) is None

"""Diffs as texts: the new side of each hunk, and which of its lines are new."""

import contextlib
import difflib
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.membership.added import added
from starloom.membership.check import MOST_BYTES

LINES = st.lists(st.sampled_from(["a", "b", "    c", "", "-- x", "++ y", "@@ -1 +1 @@", "diff --git a/x b/x", "é"]))


def texts(diff):
    return list(added((diff if isinstance(diff, bytes) else diff.encode()).split(b"\n")))


def plain(old, new, context):
    rows = difflib.unified_diff(old, new, "a/file.py", "b/file.py", n=context, lineterm="")
    return "\n".join(rows) + "\n"


@settings(max_examples=300, deadline=None)
@given(LINES, LINES, st.sampled_from([0, 1, 3, 1000]))
def test_equals_difflib(old, new, context):
    found = texts(plain(old, new, context)) if old != new else []
    shown = {}  # every line of the new side that some hunk shows
    for one in found:
        rows = one.text.split("\n")[:-1]
        for number, row in enumerate(rows, one.first_line):
            assert new[number - 1] == row
            shown[number] = row
        assert one.path == "file.py"
        assert set(one.added) <= set(range(one.first_line, one.first_line + len(rows)))
    fresh = sorted(number for one in found for number in one.added)
    expected = [
        number + 1
        for tag, _, _, start, end in difflib.SequenceMatcher(None, old, new).get_opcodes()
        if tag in ("insert", "replace")
        for number in range(start, end)
    ]
    assert fresh == expected
    if context == 1000 and expected:
        assert [one.text for one in found] == ["\n".join(new) + "\n"]


@settings(max_examples=25, deadline=None)
@given(LINES, LINES)
def test_equals_git(tmp_path_factory, old, new):
    folder = tmp_path_factory.mktemp("git")
    for name, rows in (("old", old), ("new", new)):
        (folder / name).write_text("\n".join(rows))
    done = subprocess.run(
        ["git", "diff", "--no-index", "-U100000", "old", "new"], cwd=folder, capture_output=True, check=False
    )
    if not done.stdout:
        assert "\n".join(old) == "\n".join(new)
        return
    for one in texts(done.stdout):
        assert one.text.rstrip("\n") == "\n".join(new).rstrip("\n")
        assert one.path == "new"
        assert one.first_line == 1


HUNK = "@@ -1,2 +1,3 @@ def f():\n one\n+two\n three\n"


@pytest.mark.parametrize(
    ("head", "path"),
    [
        ("diff --git a/x/y.py b/x/y.py\n--- a/x/y.py\n+++ b/x/y.py\n", "x/y.py"),
        ("diff --git i/y.py w/y.py\n--- i/y.py\n+++ w/y.py\n", "y.py"),  # diff.mnemonicPrefix
        ("diff --git y.py y.py\n--- y.py\n+++ y.py\n", "y.py"),  # diff.noprefix
        ("diff --git b/y.py b/y.py\n--- b/y.py\n+++ b/y.py\n", "b/y.py"),  # … of a folder called b
        ("diff --git a/n.py b/n.py\nnew file mode 100644\n--- /dev/null\n+++ b/n.py\n", "n.py"),
        ("--- old/a.py\t2026-01-01 00:00:00\n+++ new/a.py\t2026-01-02 00:00:00\n", "new/a.py"),
        ("--- /dev/null\n+++ b/a.py\n", "b/a.py"),  # not git's: the name as it is
        ('--- "a/caf\\303\\251 \\"x\\".py"\n+++ "b/caf\\303\\251 \\"x\\".py"\n', 'café "x".py'),
        ('--- "a/\\377.py"\n+++ "b/\\377.py"\n', "\\xff.py"),  # no UTF-8
        ("diff -r 0123 -r 4567 a.py\n--- a/a.py\tThu\n+++ b/a.py\tFri\n", "a.py"),
        ("commit 1234\n\n    message\n    --- not this\n\n--- a/z.py\n+++ b/z.py\n", "z.py"),
    ],
    ids=["git", "mnemonic", "noprefix", "folder-b", "new", "diff-u", "null", "quoted", "bytes", "hg", "log"],
)
def test_names(head, path):
    (one,) = texts(head + HUNK)
    assert (one.path, one.text, one.added, one.first_line) == (path, "one\ntwo\nthree\n", (2,), 1)
    assert one.place == path


def test_several_hunks_and_files():
    diff = f"--- a/x\n+++ b/x\n{HUNK}@@ -10 +11,2 @@\n ten\n+eleven\n--- a/y\n+++ b/y\n{HUNK}"
    assert [(one.path, one.first_line, one.added) for one in texts(diff)] == [
        ("x", 1, (2,)),
        ("x", 11, (12,)),
        ("y", 1, (2,)),
    ]


def test_what_adds_nothing_is_left_out():
    diff = "--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n one\n-two\n--- a/y\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
    assert texts(diff) == []
    assert texts("") == []
    assert texts("diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n") == []


def test_line_ends_and_lost_blanks():
    (one,) = texts(b"--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\r\n\n+b\r\n c\n\\ No newline at end of file\n")
    assert one.text == "a\r\n\nb\r\nc"
    assert one.added == (3,)


def test_no_newline_between_sides():
    (one,) = texts(
        "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of file\n"
    )
    assert (one.text, one.added) == ("a\nb", (1, 2))


def test_what_is_no_text():
    binary = "diff --git a/i.png b/i.png\nBinary files a/i.png and b/i.png differ\n"
    patch = "diff --git a/i.png b/i.png\n--- a/i.png\n+++ b/i.png\nGIT binary patch\nliteral 3\nKcmZQz\n"
    nul = b"--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n a\n+b\0c\n"
    assert [(one.path, one.text, one.problem) for diff in (binary, patch, nul) for one in texts(diff)] == [
        ("i.png", None, "the diff calls it binary"),
        ("i.png", None, "the diff calls it binary"),
        ("x", None, "binary: NUL byte at offset 3"),
    ]


def test_other_encodings():
    line = "# Grüße aus Köln, wo die Bäume grün sind und die Häuser schön; überall Bäche, Flüsse, Täler, Höhen"
    (one,) = texts(f"--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n a = 1\n+{line}\n".encode("latin-1"))
    assert one.text == f"a = 1\n{line}\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", ["one\ntwo\nthree", "one\ntwo\n", "Ċ alike\n"], ids=["cut", "ended", "odd"])
def test_a_new_file_in_a_wide_encoding(encoding, text):
    """Its bytes look like other lines than it has; no such file passes for no text."""
    data = ("\ufeff" + text if encoding.endswith("be") else text).encode(encoding)
    rows = data.split(b"\n")
    end = [] if data.endswith(b"\n") else [b"\\ No newline at end of file"]
    rows = rows[:-1] if data.endswith(b"\n") else rows
    head = [b"--- /dev/null", b"+++ b/x", b"@@ -0,0 +1,%d @@" % len(rows)]
    (one,) = added([*head, *(b"+" + row for row in rows), *end])
    assert one.text == text
    assert one.added is None or one.added == tuple(range(1, len(rows) + 1))


def test_a_hunk_that_is_too_large():
    rows = [b"+" + b"x" * (1 << 20)] * 9
    (one,) = added([b"--- a/x", b"+++ b/x", b"@@ -0,0 +1,9 @@", *rows])
    assert (one.text, one.problem) == (None, f"more than {MOST_BYTES:,} bytes")


@pytest.mark.parametrize(
    ("diff", "words"),
    [
        ("x = 1\n", "no diff: it has neither"),
        ("--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\n", "ends within a hunk"),
        ("--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n a\nb\n c\n", "line 5 of the diff: a line is neither"),
        ("--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n-b\n", "line 5 of the diff: a line is neither"),
        (HUNK, "line 1 of the diff: a hunk without the name"),
        (
            "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,1 -1,1 +1,2 @@@\n  a\n++b\n",
            "a combined diff of a merge",
        ),
    ],
    ids=["no-diff", "cut", "foreign-line", "too-many", "no-name", "combined"],
)
def test_refusals(diff, words):
    with pytest.raises(UserError, match=words) as caught:
        texts(diff)
    assert caught.value.hint


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_anything_is_read_or_refused(data):
    with contextlib.suppress(UserError):
        assert all(one.added for one in texts(b"--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n" + data) if one.text)

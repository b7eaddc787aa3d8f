"""Untrusted names, and opening below a folder without leaving it."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.outside.paths import RefusedError, Root, is_safe, is_safe_raw, printable, raw_path, text_path


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"src/a.py", "src/a.py"),
        ("naïve/ü.py".encode(), "naïve/ü.py"),
        (b"caf\xe9.py", r"caf\xe9.py"),  # Latin-1
        (rb"caf\xe9.py", r"caf\x5cxe9.py"),  # the same text, had the backslash been left alone
        (rb"a\b.py", r"a\b.py"),  # other backslashes stay
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),  # a lone surrogate is no UTF-8
        (b"a\nb", "a\nb"),
    ],
)
def test_text_path(raw, text):
    assert text_path(raw) == text
    assert raw_path(text) == raw


# Every piece that could make two byte strings look alike, besides arbitrary bytes.
_tricky = st.lists(st.sampled_from([b"\\", b"x", b"e9", b"\\xe9", b"\xe9", b"5c", b"/", b"\xc3\xa9"])).map(b"".join)


@given(st.one_of(st.binary(), _tricky))
def test_text_path_is_reversible_and_clean(raw):
    text = text_path(raw)
    assert raw_path(text) == raw
    text.encode("utf-8")  # no lone surrogates


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "a/b.py",
        ".gitignore",
        "a/.github/x",
        "..a",
        "a..",
        "…",
        "a b",
        "a\nb",
        "git",
        "legit.py",
        "a/.gitattributes",
        "x" * 255,
        r"caf\xe9.py",
        "digits~1",
        "gitk~1",
    ],
)
def test_safe(path):
    assert is_safe(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "a//b",
        "a/",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        "a/..",
        ".git/config",
        "a/.git",
        "a\x00b",
        ".GIT/hooks/x",
        ".Git",
        "git~1/x",
        "GIT~1",
        ".git /x",
        ".git./x",
        ".git::$INDEX_ALLOCATION/x",
        ".g\u200cit/x",
        r"..\evil.py",
        r"a\..\b",
        r"a\.git\config",
        r"\evil",
        ".\u200c.",
        "x/" * 3000 + "y",
    ],
)
def test_unsafe(path):
    assert not is_safe(path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.py", "plain name.py"),
        ("Größe/日本.py", "Größe/日本.py"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),  # sets a terminal's title
        ("a\r\nb\t", r"a\x0d\x0ab\x09"),
        ("\u202egpj.exe", r"\u202egpj.exe"),  # right-to-left override
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\x9b31m", r"\x9b31m"),  # the one-byte form of ESC [
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),  # invisible tag
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_printable_never_steers(text):
    shown = printable(text)
    assert all(c.isprintable() for c in shown)
    assert printable(shown) == shown


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_bytes(b"inside")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    return root


def test_root_reads_what_is_inside(tree):
    with Root(tree) as root:
        assert root.read(b"a/b/file", 100) == b"inside"
        assert root.read(b"a/b/file", 2) == b"ins"  # one more than the limit: the caller sees it is too long
        assert root.status(b"link").st_size > 0  # the link itself


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"link", "symbolic link"),
        (b"up/secret", "symbolic link"),
        (b"loop", "symbolic link"),
        (b"fifo", "not a regular file"),
        (b"a", "not a regular file"),
        (b"nothing", "missing"),
        (b"a/b/file/c", "no folder"),
        (b"../secret", "unsafe path"),
        (b"a/../../secret", "unsafe path"),
        (b"/etc/passwd", "unsafe path"),
        (b"", "unsafe path"),
        (b"a\0", "unsafe path"),
    ],
)
def test_root_refuses(tree, raw, reason):
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Root(tree) as root, pytest.raises(RefusedError, match=reason):
        root.read(raw, 100)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_root_refuses_sockets(tree, monkeypatch):
    monkeypatch.chdir(tree)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server, Root(tree) as root:
        server.bind("socket")
        with pytest.raises(RefusedError):
            root.read(b"socket", 100)


def test_root_notices_a_folder_that_became_a_link(tree, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").write_text("outside")
    with Root(tree) as root:
        (tree / "a" / "b" / "file").unlink()
        (tree / "a" / "b").rmdir()
        (tree / "a" / "b").symlink_to(tmp_path / "b")
        with pytest.raises(RefusedError, match="symbolic link"):
            root.read(b"a/b/file", 100)


def test_unreadable(tree, monkeypatch):
    # As root nothing is unreadable, so the system's answer is staged.
    real = os.open

    def refuse(path, *arguments, **named):
        if path == b"file":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refuse)
    with Root(tree) as root, pytest.raises(RefusedError, match="unreadable: Permission denied"):
        root.read(b"a/b/file", 100)


@pytest.mark.parametrize("raw", [b"\xe9.py", b"a/\xe9/b", b"\xff" * 100])
def test_names_that_are_no_utf8_are_safe(raw):
    assert is_safe_raw(raw)
    assert raw_path(text_path(raw)) == raw


@pytest.mark.parametrize("raw", [b"\\\xe9", b"../\xe9", b"\xe9/..", b"/\xe9", b"\xe9/.git/x", b"\xe9\0"])
def test_unsafe_names_that_are_no_utf8_stay_unsafe(raw):
    assert not is_safe_raw(raw)

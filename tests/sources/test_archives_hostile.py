"""Archives made to harm: bombs, lies, cuts, overlaps, paths that lead out. Each costs itself; nothing is written."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.identity import content_id
from starloom.sources.archives import rows as archive_rows
from starloom.sources.archives import stream as archive_stream
from starloom.sources.archives.source import ArchiveSource, is_archive, open_archive
from starloom.sources.archives.tar import members
from starloom.sources.repository import Repository, SourceError, SourceSettings, Wanted


def source_at(path):
    return ArchiveSource(Repository("demo", "archive", str(path), "public"), path)


def listing(path, max_bytes=1 << 20):
    return {e.path: (e.size, e.content_id, e.problem) for e in source_at(path).entries(max_bytes)}


def reason(path, max_bytes=1 << 20):
    with pytest.raises(SourceError) as caught:
        list(source_at(path).entries(max_bytes))
    return caught.value.problem.reason


def header(name=b"a", size=b"0", kind=b"0", mode=b"644", magic=b"ustar\x0000", link=b""):
    """One tar block with a right checksum."""
    block = bytearray(512)
    block[:100] = name.ljust(100, b"\0")
    block[100:108] = mode.rjust(7, b"0") + b"\0"
    block[124:136] = size if len(size) == 12 else size.rjust(11, b"0") + b"\0"
    block[156:157] = kind
    block[157:257] = link.ljust(100, b"\0")
    block[257:265] = magic
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


END = bytes(1024)
SHARES = "it shares bytes with another member of the archive"


def padded(data):
    return data + bytes(-len(data) % 512)


@pytest.fixture
def write(tmp_path):
    def one(data, name="a"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return one


# Bombs


def zeros(size):
    return header(b"zeros", b"%o" % size) + bytes(size) + END


@pytest.mark.parametrize(
    ("pack", "limit"), [(gzip.compress, None), (bz2.compress, 10 << 20), (lzma.compress, 10 << 20)]
)
def test_zeros(write, monkeypatch, pack, limit):
    if limit:  # makes the bomb quicker to make; gzip meets the real limit
        monkeypatch.setattr(archive_stream, "RATIO_FROM", limit)
    size = archive_stream.RATIO_FROM + (1 << 20)
    data = pack(zeros(size))
    assert len(data) < 120_000
    path = write(data)
    found = reason(path)
    assert "as in a decompression bomb" in found
    assert "500" in found
    with pytest.raises(SourceError):
        list(source_at(path).contents([Wanted(b"zeros", "0" * 40, size)]))
    os.truncate(path, len(data) // 2)
    reason(path)


def test_zeros_in_a_zip(write):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(110 << 20))
    path = write(packed.getvalue())
    assert listing(path) == {"zeros": (110 << 20, None, None)}  # too large to be read at all
    assert "decompression bomb" in reason(path, 1 << 30)


def test_more_bytes_than_any_archive_may_have(write, monkeypatch):
    monkeypatch.setattr(archive_stream, "MAX_BYTES", 1 << 20)
    found = reason(write(gzip.compress(header(b"a", b"%o" % (2 << 20)) + os.urandom(2 << 20) + END)))
    assert found == "more than 1048576 bytes when unpacked"


def test_zip_in_zip_in_zip(write, tmp_path):
    """42.zip: what is within is a file like any other."""
    data = bytes(1 << 20)
    for _ in range(4):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(16):
                archive.writestr(f"{number:x}.zip", data)
        data = packed.getvalue()
    found = listing(write(data))
    assert len(found) == 16
    assert sum(size for size, _, _ in found.values()) < 1 << 20


def zip_bytes(names, data=b"hello", **options):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name in names:
            archive.writestr(name, data)
    return packed.getvalue()


def with_directory(local, entries, method=8):
    """`local` bytes, then a central directory of `entries` = (name, crc, packed, size, offset)."""
    directory = b"".join(
        struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, method, 0, 0, crc, packed, size, len(name), 0, 0, 0, 0, 0, offset
        )
        + name
        for name, crc, packed, size, offset in entries
    )
    count = len(entries) & 0xFFFF
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(local), 0)
    return local + directory + end


def test_members_that_share_their_bytes(write):
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = raw.compress(bytes(1 << 20)) + raw.flush()
    local = (
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(bytes(1 << 20)), len(kernel), 1 << 20, 1, 0)
        + b"a"
    )
    same = [(b"%d" % number, zlib.crc32(bytes(1 << 20)), len(kernel), 1 << 20, 0) for number in range(1000)]
    path = write(with_directory(local + kernel, same))
    assert {problem for _, _, problem in listing(path).values()} == {SHARES}
    # Members that begin within others, as in overlapping bombs; one that claims the directory; one beyond the file.
    entries = [(b"a", 0, len(kernel), 1, 0), (b"b", 0, 5, 1, 40), (b"c", 0, 5, 1, 100), (b"z", 0, 9, 1, 1 << 30)]
    assert {problem for _, _, problem in listing(write(with_directory(local + kernel, entries))).values()} == {SHARES}
    path = write(with_directory(local + kernel, [(b"a", 0, len(kernel) + 100, 1, 0)]))
    assert [problem for _, _, problem in listing(path).values()] == [SHARES]


# Lies of zip archives


def changed(data, find, offset, new, nth=0):
    """`data` with the bytes at `offset` after the nth `find` replaced."""
    at = -1
    for _ in range(nth + 1):
        at = data.index(find, at + 1)
    return data[: at + offset] + new + data[at + offset + len(new) :]


LOCAL, CENTRAL = b"PK\3\4", b"PK\1\2"
DISAGREES = "its own header says something else than the archive's directory"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ([(LOCAL, 14, b"xxxx"), (CENTRAL, 16, b"xxxx")], "its checksum is wrong"),
        ([(CENTRAL, 16, b"xxxx")], DISAGREES),
        ([(CENTRAL, 24, b"\x01\0\0\0")], DISAGREES),
        ([(LOCAL, 22, b"\x01\0\0\0"), (CENTRAL, 24, b"\x01\0\0\0")], "its size is not what the archive says"),
        ([(LOCAL, 22, b"\xff\0\0\0"), (CENTRAL, 24, b"\xff\0\0\0")], "its size is not what the archive says"),
        ([(LOCAL, 18, b"\x03\0\0\0"), (CENTRAL, 20, b"\x03\0\0\0")], "it cannot be unpacked: it ends early"),
        ([(LOCAL, 30, b"b")], DISAGREES),
        ([(LOCAL, 8, b"\0\0")], DISAGREES),
        ([(LOCAL, 8, b"\x5f\0"), (CENTRAL, 10, b"\x5f\0")], "it cannot be unpacked: compression method 95 is"),
        ([(LOCAL, 8, b"\x0e\0"), (CENTRAL, 10, b"\x0e\0")], "it cannot be unpacked: LZMA properties"),
        ([(LOCAL, 8, b"\x0c\0"), (CENTRAL, 10, b"\x0c\0")], "it cannot be unpacked: Invalid data stream"),
        ([(LOCAL, 6, b"\1\0"), (CENTRAL, 8, b"\1\0")], "encrypted"),
        ([(LOCAL, 6, b"\1\0")], DISAGREES),
        ([(LOCAL, 28, b"\xff\xff")], SHARES),
        ([(CENTRAL, 42, b"\xff\xff\xff\x00")], SHARES),
        ([(CENTRAL, 28, b"\x00\0"), (CENTRAL, 30, b"\1\0")], DISAGREES),
    ],
)  # fmt: skip
def test_a_lie_costs_the_member(write, change, problem):
    data = zip_bytes(["a", "other"], b"hello, hello, hello")
    for find, offset, new in change:
        data = changed(data, find, offset, new)
    path = write(data)
    found = [one for one in listing(path).values() if one[2]]
    assert len(found) == 1
    assert found[0][1] is None
    assert found[0][2].startswith(problem) or found[0][2] == "unsafe path"
    assert [one[1] for one in listing(path).values() if not one[2]] == [content_id(b"hello, hello, hello")]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"more",
        lambda data: data[10:],  # offsets that no longer fit
        lambda data: changed(data, b"PK\5\6", 10, b"\x05\0"),  # number of entries
        lambda data: changed(data, b"PK\5\6", 12, b"\xff\xff"),  # size of the directory
        lambda data: changed(data, b"PK\5\6", 16, b"\xff\xff\0\0"),  # its offset
        lambda data: changed(data, b"PK\5\6", 4, b"\1\0"),  # volumes
        lambda data: changed(data, CENTRAL, 0, b"PK\7\7"),
        lambda data: changed(data, CENTRAL, 28, b"\xff\xff"),  # a name beyond the directory
        lambda data: changed(data, CENTRAL, 20, b"\xff\xff\xff\xff"),  # a zip64 field that is not there
        lambda data: changed(data, CENTRAL, 34, b"\1\0"),  # on another volume
        lambda data: data[:-2] + struct.pack("<H", 22) + data[-22:],  # an end record in the comment of another
    ],
)  # fmt: skip
def test_a_broken_directory_costs_the_archive(write, change):
    path = write(change(zip_bytes(["a", "b"])))
    if is_archive(path):
        assert reason(path)
    assert list(Path(path).parent.iterdir()) == [path]


def test_two_end_records(write):
    """Readers that search from the front and from the back would see other members."""
    one, other = zip_bytes(["a"]), zip_bytes(["b"])
    data = one[:-2] + struct.pack("<H", len(other)) + other  # the second archive is the comment of the first
    assert "two end records" in reason(write(data))


def test_zip64_and_zips_after_programs(tmp_path):
    path = tmp_path / "a.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("big", "w", force_zip64=True) as member,
    ):
        member.write(b"hello")
    assert listing(path) == {"big": (5, content_id(b"hello"), None)}
    unseekable = tmp_path / "b.zip"
    with unseekable.open("wb") as file:
        file.seek = file.tell = None
        with zipfile.ZipFile(type("Pipe", (), {"write": file.write, "flush": file.flush})(), "w") as archive:
            archive.writestr("piped", b"hello")  # sizes stand after the data
    assert listing(unseekable) == {"piped": (5, content_id(b"hello"), None)}
    shifted = tmp_path / "c.zip"
    shifted.write_bytes(b"PK\3\4 a program" + path.read_bytes() + bytes(100))
    assert listing(shifted) == {"big": (5, content_id(b"hello"), None)}


def test_more_than_65535_members(write):
    names = [f"{number:x}".encode() for number in range(65_600)]
    local, entries = bytearray(), []
    for name in names:
        entries.append((name, 0, 0, 0, len(local)))
        local += struct.pack("<4s5H3L2H", LOCAL, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    found = listing(write(with_directory(bytes(local), entries, 0)))
    assert len(found) == len(names)
    assert set(found.values()) == {(0, content_id(b""), None)}


def test_a_member_without_a_header_of_its_own(write):
    data = changed(zip_bytes(["a", "b"]), LOCAL, 0, b"PK\7\7", nth=1)
    assert listing(write(data)) == {"a": (5, content_id(b"hello"), None), "b": (5, None, DISAGREES)}


# Lies of tar archives


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (header(b"a", b"\x80" + bytes(3) + b"\xff" * 8) + END, "truncated: it has 2048 bytes"),
        (header(b"a", b"\xff" * 12) + END, "is no size"),
        (header(b"a", b"-0000000001\0") + END, "is no size"),
        (header(b"a", b"000_0000001\0") + END, "is no size"),
        (header(b"a", b"00000000009\0") + END, "is no size"),
        (header(b"a", b"2000") + b"short", "truncated"),
        (header(b"x", b"%o" % (2 << 30), b"x") + END, "an extended header of 2147483648 bytes"),
        (header(b"x", b"%o" % (2 << 30), b"L") + END, "an extended header of 2147483648 bytes"),
        (header(b"x", b"%o" % (2 << 20), b"g") + bytes(2 << 20) + END, "an extended header of 2097152 bytes"),
        (header(b"x", b"17", b"x") + padded(b"99 path=x\n") + END, "a pax header"),
        (header(b"x", b"12", b"x") + padded(b"0 path=x\n\n") + END, "a pax header"),
        (header(b"x", b"12", b"x") + padded(b"-1 path=x\n") + END, "a pax header"),
        (header(b"x", b"12", b"x") + padded(b"10 path x\n") + END, "a pax header"),
        (header(b"x", b"15", b"x") + padded(b"13 size=-100\n") + header() + END, "is no size"),
        (header(b"x", b"777", b"x") + b"10", "truncated"),
        (header(b"a") + b"x" * 512 + END, "no header at byte 1024"),
        (header(b"a"), "without its end mark"),
        (header(b"a") + END + header(b"b") + END, "another archive follows its end mark"),
        (header(b"a", kind=b"S")[:482] + b"\1" + bytes(29), "no header"),
    ],
)  # fmt: skip
def test_a_damaged_tar_costs_itself(write, data, words):
    assert words in reason(write(header(b"first") + data))


def test_endless_sparse_map(write):
    first = bytearray(header(b"a", kind=b"S", magic=b"ustar  \0"))
    first[482] = 1
    first[148:156] = b"        "
    first[148:156] = b"%06o\0 " % sum(first)
    assert "truncated" in reason(write(bytes(first) + (bytes(504) + b"\1" + bytes(7)) * 1000))


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_sparse_members_are_problems(tmp_path, form):
    if "GNU tar" not in subprocess.run(["tar", "--version"], capture_output=True, check=True, text=True).stdout:
        pytest.skip("needs GNU tar")
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(1 << 20)
        for place in range(0, 1 << 20, 1 << 16):
            file.seek(place)
            file.write(b"x")
    (tmp_path / "after").write_bytes(b"y")
    subprocess.run(["tar", "-cSf", "a.tar", f"--format={form}", "holes", "after"], cwd=tmp_path, check=True)
    found = listing(tmp_path / "a.tar")
    assert found["after"] == (1, content_id(b"y"), None)
    assert found["holes"][1:] == (None, "a sparse member: only parts of it are stored")


def test_members_of_unknown_types(write):
    data = b"".join(header(kind, b"3", kind) + padded(b"abc") for kind in (b"Z", b"M", b"V", b"D", b"7"))
    assert listing(write(header(b"first") + data + END)) == {
        "7": (3, content_id(b"abc"), None),
        "M": (3, None, "continued from another volume"),
        "Z": (3, None, "a member of unknown type 'Z'"),
        "first": (0, content_id(b""), None),
    }


def test_old_headers(write):
    unix = header(b"old/", magic=bytes(8)) + header(b"old/a", b"1", b"\0", magic=bytes(8)) + padded(b"a")
    block = bytearray(header(b"signed\xff\xff", magic=bytes(8)))
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(byte - 256 if byte > 127 else byte for byte in block)
    assert list(listing(write(unix + bytes(block) + END))) == ["old/a", r"signed\xff\xff"]
    folder_with_content = header(b"d/", b"1") + padded(b"x")
    assert listing(write(header(b"a") + folder_with_content + END))["d/"] == (1, None, "unsafe path")


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_a_cut_archive_is_never_a_shorter_one(tmp_path, mode):
    path = tmp_path / "a.tar"
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as archive:
        for name in ("a", "ü" * 60, "c" * 200):
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(os.urandom(700)))
    whole = path.read_bytes()
    complete = listing(path)
    assert len(complete) == 3
    end = whole.rindex(whole.rstrip(b"\0")[-1:]) + 1 if mode == "w:" else len(whole)  # of the last member
    end += -end % 512 if mode == "w:" else 0
    cuts = range(0, len(whole), 128 if mode == "w:" else 7)
    for cut in [*cuts, end, end - 1, len(whole) - 1]:
        path.write_bytes(whole[:cut])
        if cut < end or (mode == "w:" and cut < end + 512):
            with pytest.raises(SourceError):
                list(source_at(path).entries(1000))
        elif mode == "w:":
            assert listing(path) == complete


def test_a_compressed_archive_may_lack_its_end_mark(write):
    data = header(b"a", b"1") + padded(b"a")
    assert listing(write(gzip.compress(data))) == {"a": (1, content_id(b"a"), None)}
    assert "without its end mark" in reason(write(gzip.compress(data) + gzip.compress(b"")))  # is the second the last?
    assert listing(write(gzip.compress(data) + gzip.compress(END))) == {"a": (1, content_id(b"a"), None)}
    assert "bytes follow" in reason(write(gzip.compress(data) + b"more"))


def test_a_wrong_checksum_of_the_compression(write):
    data = gzip.compress(header(b"a", b"1") + padded(b"a") + END)
    assert "damaged" in reason(write(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:]))


# Memory


def test_xz_that_asks_for_much_memory(write):
    data = bytearray(lzma.compress(header(b"a") + END, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]))
    assert data[14:16] == b"\x21\x01"
    data[16] = 40  # a dictionary of 4 GiB
    size = (data[12] + 1) * 4
    data[12 + size - 4 : 12 + size] = zlib.crc32(data[12 : 12 + size - 4]).to_bytes(4, "little")
    assert "emory" in open_archive(write(bytes(data)), SourceSettings("x"), None).problems[0].reason


def test_zstandard_that_asks_for_much_memory(tmp_path):
    if not shutil.which("zstd"):
        pytest.skip("no zstd here")
    (tmp_path / "a").write_bytes(header(b"a", b"%o" % (130 << 20)) + bytes(130 << 20) + END)
    subprocess.run(["zstd", "-q", "-1", "--long=31", "--zstd=wlog=30", "a"], cwd=tmp_path, check=True)
    (problem,) = open_archive(tmp_path / "a.zst", SourceSettings("x"), None).problems
    assert "memory" in problem.reason.lower()


def test_too_many_members_paths_and_links(write, monkeypatch):
    data = b"".join(header(b"%d" % number, kind=b"1", link=b"0") for number in range(20)) + END
    for name, value, words in (
        ("MAX_ENTRIES", 10, "more than 10 paths"),
        ("MAX_PATHS", 30, "more than 30 bytes of paths"),
        ("MAX_LINKS", 10, "more than 10 hard links"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(archive_rows, name, value)
            assert reason(write(data)) == words


def test_long_names_are_not_kept_whole(write):
    name = b"x" * 1_000_000
    data = header(b"l", b"%o" % len(name), b"L") + padded(name) + header(b"short", b"1") + padded(b"a") + END
    (entry,) = source_at(write(header(b"p", b"0", b"5") + data)).entries(10)
    assert len(entry.raw_path) == 4097
    assert entry.problem == "unsafe path: longer than 4096 bytes"


# Against the standard library, and against noise

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=130
)
KINDS = [
    tarfile.REGTYPE,
    tarfile.AREGTYPE,
    tarfile.CONTTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.FIFOTYPE,
    tarfile.DIRTYPE,
]


@given(
    st.lists(
        st.tuples(
            st.lists(NAMES, min_size=1, max_size=3).map("/".join),
            st.sampled_from(KINDS),
            st.binary(max_size=1100),
            NAMES,
            st.integers(0, 0o7777),
        ),
        max_size=6,
    ),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
)
@settings(max_examples=150, deadline=None)
def test_members_are_those_of_the_standard_library(described, form):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, kind, data, link, mode in described:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, mode
            info.linkname = link if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    with tempfile.TemporaryFile(buffering=0) as packed:
        packed.write(file.getvalue())
        stream = archive_stream.open_stream(packed)
        found = [(one.raw, one.kind, one.mode & 0o100, one.target, stream.read(one.size)) for one in members(stream)]
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as archive:
        expected = []
        for one in archive:
            kind = {
                tarfile.SYMTYPE: archive_rows.LINK,
                tarfile.LNKTYPE: archive_rows.HARD_LINK,
                tarfile.FIFOTYPE: archive_rows.SPECIAL,
            }
            if not one.isdir():
                raw = one.name.encode("utf-8", "surrogateescape")
                while raw.startswith(b"./"):
                    raw = raw[2:]
                data = archive.extractfile(one).read() if one.isreg() else b""
                regular = one.isreg() or one.isfifo()
                link = one.linkname.encode("utf-8", "surrogateescape") if one.islnk() else b""
                expected.append(
                    (raw, kind.get(one.type, archive_rows.FILE), one.mode & 0o100 if regular else 0, link, data)
                )
    assert found == expected


SEEDS = []
for _mode in ("w:", "w:gz"):
    _file = io.BytesIO()
    with tarfile.open(fileobj=_file, mode=_mode, format=tarfile.PAX_FORMAT) as _archive:
        for _name in ("top/a", "top/" + "ü" * 80):
            _info = tarfile.TarInfo(_name)
            _info.size = 600
            _archive.addfile(_info, io.BytesIO(_name.encode().ljust(600, b".")))
        _info = tarfile.TarInfo("top/link")
        _info.type, _info.linkname = tarfile.LNKTYPE, "top/a"
        _archive.addfile(_info)
    SEEDS.append(_file.getvalue())
SEEDS.append(zip_bytes(["top/a", "top/b", "c"]))
KNOWN = {content_id(name.encode().ljust(600, b".")) for name in ("top/a", "top/" + "ü" * 80)} | {content_id(b"hello")}


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 1 << 30),
)
@settings(max_examples=400, deadline=None)
def test_noise(seed, changes, cut):
    """Whatever bytes change: no other exception, and of what a checksum protects no wrong content."""
    data = bytearray(seed)
    for place, byte in changes:
        data[place % len(data)] = byte
    if cut % 4 == 0:
        del data[cut % len(data) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(data)
        source = source_at(path)
        entries, answers = [], []
        with contextlib.suppress(SourceError):
            entries = list(source.entries(10_000))
            answers = list(
                source.contents(
                    {e.content_id: Wanted(e.raw_path, e.content_id, e.size) for e in entries if e.content_id}.values()
                )
            )
        assert all(content_id(one.data) == one.content_id for one in answers)
        if seed is not SEEDS[0]:  # zip and gzip have checksums of contents, plain tar has none
            assert {one.content_id for one in answers} <= KNOWN
        raws = [e.raw_path for e in entries]
        assert raws == sorted(raws)


@given(
    st.binary(max_size=3000),
    st.sampled_from(
        [b"", b"PK\3\4", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"Format: 1.0\nSource: a\n"]
    ),
)
@settings(max_examples=100, deadline=None)
def test_any_bytes(data, magic):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(magic + data)
        found = open_archive(path, SourceSettings("x"), None)
        for source in found.sources:
            with contextlib.suppress(SourceError):
                list(source.entries(1000))
        assert is_archive(path) or found.problems


def test_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    data = header(b"l", kind=b"2", link=os.fsencode(outside))
    for name in (b"l/through", b"../up", b"plain", os.fsencode(outside / "absolute")):
        data += header(name, b"1") + padded(b"x")
    path = tmp_path / "a.tar"
    path.write_bytes(data + END)
    before = sorted(tmp_path.rglob("*"))
    found = listing(path)
    assert {name for name, one in found.items() if one[1]} == {"plain"}
    list(source_at(path).contents([Wanted(b"plain", content_id(b"x"), 1)]))
    assert sorted(tmp_path.rglob("*")) == before

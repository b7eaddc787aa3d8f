"""The walk against what an export can hold: bombs, cycles, gaps, hostile names. Each costs its own repository."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.swh_export import Export, hash_of, prepare
from starloom.identity import content_id
from starloom.sources.software_heritage import walk

HUB = "https://github.com/"
FILE, LINK, DIR, MODULE = 0o100644, 0o120000, 0o040000, 0o160000


@pytest.fixture
def prepared(tmp_path):
    return lambda export, name="one", **options: prepare(tmp_path / name, export, **options)


def outcome(opened):
    """{name: [paths] or reason}"""
    found = {one.repository().repo_name: [e.raw_path for e in one.entries(0)] for one in opened.sources}
    return found | {one.location.removeprefix(HUB): one.reason for one in opened.problems}


def sound(export, name="good/one"):
    export.repository(HUB + name, export.directory((FILE, name.encode().replace(b"/", b"-"), export.content(b"x"))))


def test_paths_are_in_gits_order(prepared):
    export = Export()
    x = export.content(b"x")
    inner = export.directory((FILE, b"z", x), (FILE, b"a", x))
    root = export.directory(
        (FILE, b"a.b", x), (DIR, b"a", inner), (FILE, b"a0", x), (FILE, b"a-", x), (FILE, b"\xff", x), (FILE, b"A", x)
    )
    export.repository(HUB + "a/b", root)
    assert outcome(prepared(export)) == {"a/b": [b"A", b"a-", b"a.b", b"a/a", b"a/z", b"a0", b"\xff"]}


def test_a_missing_directory_costs_its_repository(prepared):
    export = Export()
    x, gone = export.content(b"x"), hash_of("gone")
    inner = export.directory((DIR, b"lib", gone))
    export.repository(HUB + "a/deep", export.directory((DIR, b"src", inner), (FILE, b"x", x)))
    export.repository(HUB + "a/root", gone)
    empty = export.directory()
    export.repository(HUB + "a/empty", empty)
    export.repository(HUB + "a/with-empty", export.directory((DIR, b"e", empty), (FILE, b"f", x)))
    sound(export)
    expected = {
        "a/deep": f"directory {gone} (src/lib) is not in the export",
        "a/root": f"directory {gone} (its root) is not in the export",
        "a/empty": [],
        "a/with-empty": [b"f"],
        "good/one": [b"good-one"],
    }
    assert outcome(prepared(export)) == expected
    assert outcome(prepared(export, "less", without=("directory",))) == expected  # git's empty tree needs no row


def test_an_empty_directory_of_another_name_is_there_if_the_export_has_it(prepared):
    export = Export()
    odd = export.raw_directory(hash_of("odd"))
    export.repository(HUB + "a/b", export.directory((DIR, b"odd", odd), (FILE, b"f", export.content(b"x"))))
    assert outcome(prepared(export)) == {"a/b": [b"f"]}
    assert outcome(prepared(export, "less", without=("directory",))) == {
        "a/b": f"directory {odd} (odd) is not in the export"
    }


def test_cycles_and_depth(prepared, monkeypatch):
    assert walk.MAX_DEPTH == 64  # the paper's; here fewer, as each costs a few queries
    monkeypatch.setattr(walk, "MAX_DEPTH", 6)
    export = Export()
    x = export.content(b"x")
    ring = [hash_of("ring", n) for n in range(3)]
    for n in range(3):
        export.raw_directory(ring[n], (DIR, b"on", ring[(n + 1) % 3]), (FILE, b"f", x))
    export.repository(HUB + "a/ring", ring[0])
    itself = hash_of("itself")
    export.repository(HUB + "a/itself", export.raw_directory(itself, (DIR, b"me", itself)))
    deepest = export.directory((FILE, b"f", x))
    for _ in range(5):
        deepest = export.directory((DIR, b"d", deepest))
    export.repository(HUB + "a/deep", deepest)
    export.repository(HUB + "a/too-deep", export.directory((DIR, b"d", deepest)))
    sound(export)
    reason = "its folders are more than 6 deep, or contain themselves"
    assert outcome(prepared(export)) == {
        "a/ring": reason,
        "a/itself": reason,
        "a/deep": [b"d/" * 5 + b"f"],
        "a/too-deep": reason,
        "good/one": [b"good-one"],
    }


def test_a_tree_bomb_is_counted_and_never_made(prepared):
    export = Export()
    bomb = export.directory(*((FILE, b"%d" % n, export.content(b"boom")) for n in range(10)))
    for _ in range(11):  # 10^12 paths
        bomb = export.directory(*((DIR, b"%d" % n, bomb) for n in range(10)))
    export.repository(HUB + "a/bomb", bomb)
    sound(export)
    assert outcome(prepared(export)) == {
        "a/bomb": "more than 1,000,000 paths in one level of folders",
        "good/one": [b"good-one"],
    }


def test_limits_are_met_exactly(prepared, monkeypatch):
    monkeypatch.setattr(walk, "LEVEL_ENTRIES", 10)
    monkeypatch.setattr(walk, "MAX_ENTRIES", 15)
    export = Export()
    x = export.content(b"x")

    def wide(files, *folders):
        inner = ((DIR, b"d%d" % n, one) for n, one in enumerate(folders))
        return export.directory(*((FILE, b"%02d" % n, x) for n in range(files)), *inner)

    export.repository(HUB + "a/ten", wide(10))
    export.repository(HUB + "a/eleven", wide(11))
    export.repository(HUB + "a/fifteen", wide(5, wide(9)))
    export.repository(HUB + "a/sixteen", wide(6, wide(9)))
    found = outcome(prepared(export))
    assert {name: len(one) if isinstance(one, list) else one for name, one in found.items()} == {
        "a/ten": 10,
        "a/eleven": "more than 10 paths in one level of folders",
        "a/fifteen": 14,
        "a/sixteen": "more than 15 paths",
    }


def test_hostile_names_and_kinds(prepared):
    export = Export()
    x, inner = export.content(b"x"), export.directory((FILE, b"f", export.content(b"y")))
    root = export.raw_directory(
        hash_of("root"),
        (FILE, b"a/b", x),
        (FILE, b"", x),
        (FILE, b"nul\0", x),
        (FILE, b"..", x),
        (FILE, b"line\nend", x),
        (FILE, b"caf\xe9", x),
        (DIR, b"c/d", inner),
        (DIR, b"..", inner),
        (DIR, b".git", inner),
        (DIR, b"x" * 5000, inner),
        (DIR, b"y" * 4000, inner),
        (FILE, b"twice", x),
        (FILE, b"twice", export.content(b"other")),
        (FILE, b"no-hash", "../../etc/passwd"),
        (FILE, b"upper", x.upper()),
        (DIR, b"no-hash-dir", "zz"),
        (LINK, b"link", export.content(b"target")),
        (LINK, b"link-unknown", hash_of("unknown")),
        (MODULE, b"module", "2" * 40),
        (0o100664, b"old-mode", x),
        (0o060000, b"device", x),
    )
    export.repository(HUB + "a/b", root)
    sound(export)
    opened = prepared(export)
    entries = {}
    for entry in next(one for one in opened.sources if one.repository().repo_name == "a/b").entries(0):
        entries.setdefault(entry.raw_path, []).append((entry.entry_type, entry.problem))
        assert bool(entry.content_id) == (entry.entry_type == "file" and entry.problem is None)
    unsafe_name = "unsafe name: empty, or with a slash or NUL"
    assert entries == {
        b"": [("file", "unsafe path")],
        b"a/b": [("file", unsafe_name)],
        b"nul\0": [("file", "unsafe path")],
        b"..": [("file", "unsafe path")],
        b"line\nend": [("file", None)],
        b"caf\xe9": [("file", None)],
        b"c/d": [("folder", unsafe_name)],
        b"../f": [("file", "unsafe path")],
        b".git/f": [("file", "unsafe path")],
        b"x" * 5000: [("folder", "unsafe path: longer than 4096 bytes")],
        b"y" * 4000 + b"/f": [("file", None)],
        b"twice": [("file", None), ("file", "duplicate path")],
        b"no-hash": [("file", "its target is no hash")],
        b"upper": [("file", "its target is no hash")],
        b"no-hash-dir": [("folder", "its target is no hash")],
        b"link": [("symlink", None)],
        b"link-unknown": [("symlink", None)],
        b"module": [("submodule", None)],
        b"old-mode": [("file", None)],
        b"device": [("special", "neither file, link, folder nor submodule")],
    }


def test_contents_the_archive_has_not(prepared):
    export = Export()
    hidden = export.content(b"hidden", status="hidden")
    skipped = export.skip(b"large" * 9, "Content \x1b[31mtoo large" + "!" * 500)
    root = export.directory(
        (FILE, b"hidden", hidden),
        (FILE, b"none", hash_of("none")),
        (FILE, b"there", export.content(b"there")),
        (FILE, b"skipped", skipped),
        (FILE, b"unsaid", export.skip(b"unsaid", None)),
    )
    export.repository(HUB + "a/b", root)
    (source,) = prepared(export).sources
    found = {e.path: (e.size, e.content_id, e.problem) for e in source.entries(0)}
    reason = found.pop("skipped")[2]
    assert reason.startswith("skipped by the archive: Content \\x1b[31mtoo large!!")
    assert len(reason) < 250
    assert found == {
        "hidden": (6, None, "hidden by the archive"),
        "none": (None, None, "not in the export"),
        "there": (5, content_id(b"there"), None),
        "unsaid": (6, None, "skipped by the archive: no reason given"),
    }


def test_repeated_rows_are_one(prepared):
    export = Export()
    sound(export)
    expected = outcome(prepared(export))
    for rows in export.rows.values():
        rows += list(rows)
    assert outcome(prepared(export, "twice")) == expected == {"good/one": [b"good-one"]}


trees = st.recursive(
    st.binary(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from([b"a", b"b", b"a.b", b"a0", b"\xff"]), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=4)
@given(
    forest=st.lists(st.dictionaries(st.sampled_from([b"x", b"y", b"x-"]), trees, max_size=3), min_size=5, max_size=15)
)
def test_any_forest_comes_back(forest, tmp_path_factory):
    export = Export()

    def make(tree):
        entries = []
        for name, below in tree.items():
            inside = isinstance(below, dict)
            entries.append((DIR, name, make(below)) if inside else (FILE, name, export.content(below)))
        return export.directory(*entries)

    def paths(tree, prefix=b""):
        for name, below in tree.items():
            if isinstance(below, dict):
                yield from paths(below, prefix + name + b"/")
            else:
                yield prefix + name, content_id(below)

    roots = {}
    for number, tree in enumerate(forest):
        root = make(tree)
        export.repository(HUB + f"a/{number}", root)
        roots.setdefault(root, sorted(paths(tree)))
    opened = prepare(tmp_path_factory.mktemp("forest"), export, files=1)
    assert len(opened.sources) + len(opened.problems) == len(forest)
    found = {s.repository().directory_id: [(e.raw_path, e.content_id) for e in s.entries(0)] for s in opened.sources}
    assert found == roots

"""The whole build: nothing lost, nothing twice, the same bytes from the same input, and only what is needed."""

import copy
import os
import shutil
import subprocess
import sys
from collections import Counter

import pyarrow.parquet as pq
import pytest

from starloom.errors import UserError
from starloom.identity import content_id
from starloom.stages import load_settings
from starloom.the_stack import tables
from starloom.the_stack.decide import decided
from starloom.the_stack.why import words
from starloom.workspace.run import engine
from the_stack import building
from the_stack.building import DAMAGED, MIT, code, gpl, verdicts

SHARED = code("shared", 40)
BOTH = {"kept", "changed"}


def make_sources(base):
    """Four sources with copies, near-copies, encodings, refusals and licences among them."""
    near = SHARED.replace(b"return", b"yield", 1)
    a = building.git_repository(
        base / "a",
        {"LICENSE": MIT, "src/one.py": code("one"), "src/shared.py": SHARED},
        {"src/two.py": code("two"), "vendor/x/shared.py": SHARED, "empty.py": b"", "bin.py": b"\0\1\2" * 50},
    )
    b = building.git_repository(
        base / "b", {"LICENSE": MIT, "near.py": near, "again/shared.py": SHARED, "three.py": code("three")}, hours=50
    )
    (b / "link.py").symlink_to("three.py")
    os.mkfifo(b / "pipe")
    from sources.conftest import Git

    git = Git(b)
    git.hours = 51
    git.commit()
    c = building.folder(
        base / "c",
        {
            "latin.py": "# Grüße, äöüß und ÄÖÜ: schöne Wörter für den Übergang\n".encode("iso-8859-1") + code("latin"),
            "mark.py": b"\xef\xbb\xbf" + code("mark"),
            "utf16.py": code("utf16").decode().encode("utf-16"),
            "damaged.py": DAMAGED,
            "crlf.py": code("crlf").replace(b"\n", b"\r\n"),
            "one.py": code("one"),
            "long.py": b"x = '" + b"y" * 2_000 + b"'\n",
            "big.py": b"x = 1\n" * 200_000,
        },
    )
    d = building.git_repository(base / "d", {"COPYING": gpl(), "gpl.py": code("gpl"), "three.py": code("three")})
    return [a, b, c, d]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return make_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def built(sources, tmp_path_factory):
    """Built once, never changed."""
    return building.Workspace(tmp_path_factory.mktemp("built") / "w", *sources).build()


@pytest.fixture
def made(built, tmp_path):
    """A copy of what was built, to be changed and built again."""
    again = copy.copy(built)
    again.root = tmp_path / "made"
    shutil.copytree(built.root, again.root)
    return again


@pytest.fixture
def again(sources, tmp_path):
    """Another workspace on (some of) the same sources, not built."""

    def make(*some, workers=1, **options):
        extra = f"\n[engine]\nworkers = {workers}\n"
        return building.Workspace(tmp_path / f"w{len(list(tmp_path.iterdir()))}", *(some or sources), extra=extra)

    return make


# --- conservation --------------------------------------------------------------------------------------------------


def test_every_listed_file_is_once_in_the_ledger(built, sources):
    listed = Counter((row["repo_name"], row["path"]) for row in built.listing())
    assert set(listed.values()) == {1}
    assert set(built.ledger()) == set(listed)
    on_disk = set()
    for source in sources:
        if (source / ".git").exists():
            out = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, check=True).stdout
            on_disk |= {(source.name, name.decode()) for name in out.split(b"\0") if name}
        else:
            on_disk |= {(source.name, str(path.relative_to(source))) for path in source.rglob("*") if path.is_file()}
    assert set(listed) == on_disk


def test_verdicts(built):
    rows = built.ledger()
    assert {key: (row["verdict"], row["rule"]) for key, row in rows.items()} == {
        ("a", "LICENSE"): ("kept", None),
        ("a", "bin.py"): ("dropped", "binary"),
        ("a", "empty.py"): ("dropped", "empty"),
        ("a", "src/one.py"): ("dropped", "license"),  # an undated folder has it too, without a licence: a conflict
        ("a", "src/shared.py"): ("kept", None),
        ("a", "src/two.py"): ("kept", None),
        ("a", "vendor/x/shared.py"): ("dropped", "exact-duplicate"),
        ("b", "LICENSE"): ("dropped", "exact-duplicate"),
        ("b", "again/shared.py"): ("dropped", "exact-duplicate"),
        ("b", "link.py"): ("dropped", "not-a-file"),
        ("b", "near.py"): ("dropped", "near-duplicate"),
        ("b", "three.py"): ("dropped", "license"),  # in d, under the GPL, from an earlier day
        ("c", "big.py"): ("dropped", "too-large"),
        ("c", "crlf.py"): ("kept", None),
        ("c", "damaged.py"): ("quarantined", "damaged"),
        ("c", "latin.py"): ("changed", "encoding"),
        ("c", "long.py"): ("dropped", "long-line"),
        ("c", "mark.py"): ("changed", "encoding"),
        ("c", "one.py"): ("dropped", "license"),
        ("c", "utf16.py"): ("changed", "encoding"),
        ("d", "COPYING"): ("dropped", "license"),
        ("d", "gpl.py"): ("dropped", "license"),
        ("d", "three.py"): ("dropped", "license"),
    }
    assert built.facts("ledger")["verdicts"] == dict(sorted(Counter(row["verdict"] for row in rows.values()).items()))


def test_every_dropped_file_names_its_reason(built):
    for row in built.ledger().values():
        assert (row["rule"] is None) is (row["verdict"] == "kept")
        if row["rule"] in ("exact-duplicate", "near-duplicate"):
            assert row["twin_path"]
            twin = built.row(row["twin_repo_name"], row["twin_path"])
            assert twin["verdict"] in BOTH
            assert twin["content_id"] == row["twin_content_id"]
        else:
            assert row["twin_path"] is row["twin_content_id"] is row["jaccard"] is None
        assert (row["split"] is not None) is (row["verdict"] in BOTH)


def test_the_dataset_is_what_the_ledger_keeps(built):
    kept = {key: row for key, row in built.ledger().items() if row["verdict"] in BOTH}
    rows = built.dataset()
    assert len(rows) == len(kept)
    assert {(row["repo_name"], row["path"]) for row in rows} == set(kept)
    for row in rows:
        entry = kept[row["repo_name"], row["path"]]
        for name in ("content_id", "language", "license_type", "detected_licenses", "length_bytes", "split", "rights"):
            assert row[name] == entry[name], name


def test_contents_are_the_files_bytes(built, sources):
    folders = {source.name: source for source in sources}
    rows = built.dataset()
    for row in rows:
        data = (folders[row["repo_name"]] / row["path"]).read_bytes()
        assert content_id(data) == row["content_id"]
        assert len(data) == row["length_bytes"]
        if row["src_encoding"] == "UTF-16":  # the mark is written in this machine's byte order
            assert data.decode("utf-16") == row["content"]
        else:
            assert row["content"].encode(row["src_encoding"]) == data
    assert {row["src_encoding"] for row in rows} > {"UTF-8", "UTF-8-SIG", "UTF-16"}


def test_by_repository_is_the_same(built):
    nested = {
        (row["repo_name"], file["path"], file["content_id"], row["split"])
        for row in built.dataset("repositories")
        for file in row["files"]
    }
    assert nested == {(row["repo_name"], row["path"], row["content_id"], row["split"]) for row in built.dataset()}
    assert all(row["num_files"] == len(row["files"]) for row in built.dataset("repositories"))


def test_every_content_is_read_and_measured_once(built):
    read = [one for path in tables.contents(built.root) for one in pq.read_table(path).column("content_id").to_pylist()]
    assert len(read) == len(set(read))
    for name in ("lines", "minhash", "generated", "notice"):
        paths = tables.signal(built.root, name)
        measured = [one for path in paths for one in pq.read_table(path).column("content_id").to_pylist()]
        assert sorted(measured) == sorted(read), name


# --- the same bytes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_input_gives_the_same_bytes(built, again, workers):
    assert again(workers=workers).build().outputs() == built.outputs()


def test_sources_in_another_order(built, again, sources):
    assert again(*reversed(sources)).build().outputs() == built.outputs()


@pytest.mark.parametrize("first", [0, 2, 3])
def test_sources_added_one_after_the_other(built, again, sources, first):
    made = again(sources[first]).build()
    for number, source in enumerate(sources):
        if number != first:
            made.add(source)
            made.build()
    assert made.outputs() == built.outputs()


def test_stage_by_stage(built, again):
    made = again()
    for stage in ("list", "read", "measure", "pair", "decide", "write", "collect"):
        made.build(stage)
    assert made.outputs() == built.outputs()


def test_another_clock_locale_and_umask(built, again):
    made = again()
    script = (
        "import os, sys; os.umask(0o077)\n"
        "from pathlib import Path\n"
        "from starloom.stages import *\n"
        "from starloom.workspace.run import build\n"
        "root = Path(sys.argv[1]); settings = load_settings(root)\n"
        "build(root, all_stages(), settings, settings.engine, 'test')\n"
    )
    env = dict(os.environ) | {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", script, str(made.root)], env=env, check=True, capture_output=True)
    assert made.outputs() == built.outputs()


# --- only what is needed -------------------------------------------------------------------------------------------


def rows_of(paths):
    return {path: pq.read_metadata(path).num_rows for path in paths}


def test_nothing_changed_nothing_runs(made):
    before = made.outputs()
    assert made.build_again() == {}
    assert made.outputs() == before


def test_one_threshold_runs_decide_and_write_only(made):
    made.configure("[decide]\nnear_duplicates = 0.99\n")
    assert list(made.build_again()) == ["decide", "write", "collect"]
    assert made.row("b", "near.py")["verdict"] == "kept"
    made.replace("near_duplicates = 0.99", "near_duplicates = 0.7")
    made.build()
    assert made.row("b", "near.py")["rule"] == "near-duplicate"


def test_deciding_reads_no_content(made):
    """Another threshold decides the same with every content taken out of the cache."""
    made.configure("[decide]\nnear_duplicates = 0.99\n[[rules]]\nname = 'short'\ndrop = 'num_lines < 9'\n")

    def decided_by_now():
        with engine(made.root, load_settings(made.root).engine) as local:
            return decided(made.root, local, load_settings(made.root))

    whole = decided_by_now()
    for path in tables.contents(made.root):
        pq.write_table(pq.read_table(path).drop_columns(["content", "original"]), path)
    without = decided_by_now()
    assert without.equals(whole)
    assert len(set(without.column("rule").to_pylist())) > 5


def test_every_rule_that_holds_is_recorded(made):
    made.configure(
        "[[rules]]\nname = 'first'\ndrop = 'num_lines > 0'\nunless = \"path = 'src/two.py'\"\n"
        "[[rules]]\nname = 'second'\ndrop = 'max_line_length > 1000'\n"
    )
    rows = made.build().ledger()
    assert (rows["c", "long.py"]["rule"], rows["c", "long.py"]["value"]) == ("first", "1")
    assert rows["c", "long.py"]["matched_rules"][:2] == ["first", "second"]
    assert "long-line" in rows["c", "long.py"]["matched_rules"]
    assert rows["a", "src/two.py"]["matched_rules"] == []
    assert rows["b", "link.py"]["matched_rules"] == []  # not read: nothing holds
    assert "also      second, long-line" in words(made.why("long.py"))


def test_a_rule_that_changes_nothing_runs_decide_only(made):
    """Contents go down the line, not fingerprints: an equal ledger makes no dataset stale."""
    made.configure('[[rules]]\nname = "nothing"\ndrop = "num_lines > 1000000"\n')
    assert list(made.build_again()) == ["decide"]


def test_one_repository_added_reads_and_measures_only_its_new_contents(made, tmp_path):
    read, lines = rows_of(tables.contents(made.root)), rows_of(tables.signal(made.root, "lines"))
    names = rows_of(tables.signal(made.root, "language"))
    new = {"new.py": code("new"), "newer.py": code("newer"), "copy.py": SHARED}
    made.add(building.folder(tmp_path / "new", new))
    ran = made.build_again()
    assert list(ran) == ["list", "read", "measure", "pair", "decide", "write", "collect"]
    assert ran["read"]["bytes"] == len(new["new.py"]) + len(new["newer.py"])
    later = rows_of(tables.contents(made.root))
    assert set(read.items()) <= set(later.items())  # old parts stay as they are
    assert sum(later.values()) == sum(read.values()) + 2
    assert sum(rows_of(tables.signal(made.root, "lines")).values()) == sum(lines.values()) + 2
    assert sum(rows_of(tables.signal(made.root, "language")).values()) == sum(names.values()) + 3


def test_one_file_changed(again, tmp_path):
    plain = building.folder(tmp_path / "plain", {"one.py": code("p1"), "two.py": code("p2")})
    made = again(plain).build()
    (plain / "one.py").write_bytes(code("p3"))
    assert made.build_again()["read"]["bytes"] == len(code("p3"))
    assert {row["content"].encode() for row in made.dataset()} == {code("p2"), code("p3")}


def test_a_source_removed_leaves_no_trace_in_the_outputs(built, again, sources, tmp_path):
    made = again(*sources, building.folder(tmp_path / "extra", {"x.py": code("x"), "shared.py": SHARED})).build()
    assert made.outputs() != built.outputs()
    made.replace(f'[[sources]]\npath = "{tmp_path / "extra"}"\nrights = "public"\n', "")
    ran = made.build_again()
    assert ran.get("read", {"bytes": 0})["bytes"] == 0
    assert made.outputs() == built.outputs()


def test_a_larger_limit_reads_what_was_too_large(again, sources):
    made = again(sources[2]).build()
    assert made.row("c", "big.py")["rule"] == "too-large"
    made.configure("[list]\nmax_bytes = 2000000\n")
    ran = made.build_again()
    assert ran["read"]["bytes"] == 1_200_000
    assert made.row("c", "big.py")["rule"] == "too-many-lines"
    made.replace("max_bytes = 2000000", "max_bytes = 1048576")
    made.build()
    assert made.row("c", "big.py")["rule"] == "too-large"
    assert made.outputs() == again(sources[2]).build().outputs()


def test_a_source_that_is_gone_is_said(again, sources, tmp_path):
    going = building.folder(tmp_path / "going", {"x.py": code("x")})
    made = again(going).build()
    before = made.outputs()
    shutil.rmtree(going)
    with pytest.raises(UserError, match="going: does not exist"):
        made.build()
    assert made.outputs() == before


def test_counts_by_verdict_add_up(built):
    counts = verdicts(built.ledger().values())
    assert sum(counts.values()) == len(built.listing())
    assert built.why("a").total == 7

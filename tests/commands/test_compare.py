"""`starloom compare` as a person or a program calls it."""

import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starloom.commands import group
from starloom.errors import UserError
from the_stack.building import code


def text(number, lines=20):
    dice = random.Random(number)
    return "".join(f"def f{dice.randrange(10**6)}(x): return x + {dice.randrange(10**6)}\n" for _ in range(lines))


def edited(number):
    return text(number).replace("return", "yield", 1)


# Of A's: 0 and 1 are in B as they are, 2 nearly, 3 with other white space; 4 is not, and "tiny" has no shingle.
A = {"a0": text(0), "a1": text(1), "a2": text(2), "a3": text(3), "a4": text(4), "tiny": "x = 1"}
B = {
    "b0": text(0),
    "b1": text(1),
    "b2": edited(2),
    "b3": text(3).replace("\n", "\n\n"),
    "b9": text(9),
    "tiny": "x  = 1",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with both corpora as JSON lines, B as Parquet and as source files too, and a key."""
    monkeypatch.chdir(tmp_path)
    for name, texts in (("a", A), ("b", B)):
        rows = [{"id": key, "content": value, "stars": len(key)} for key, value in texts.items()]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.table({"text": list(B.values()), "id": list(B)}), "b.parquet")
    (tmp_path / "b").mkdir()
    for key, value in B.items():
        (tmp_path / "b" / f"{key}.py").write_text(value)
    (tmp_path / "key.txt").write_text("correct horse battery staple\n")
    (tmp_path / "other.txt").write_text("another horse battery staple\n")
    return tmp_path


@pytest.fixture
def compare(capsys):
    """`compare("diff", "a.jsonl", …)` in this process: what it printed; JSON, unless it is told to be `plain`."""

    def run(*arguments, plain=False):
        group.main(["compare", *map(str, arguments), *([] if plain else ["--json"])], standalone_mode=False)
        out = capsys.readouterr().out
        return out if plain else json.loads(out)

    return run


def named(found):
    return [(row["side"], row["id"], row["match"], row["twin"]) for row in found["files"]]


NEAR_A = [("a", "a2", "near", "b2"), ("a", "a3", "near", "b3")]
NEAR_B = [("b", "b2", "near", "a2"), ("b", "b3", "near", "a3")]
ONLY_A = [("a", "a4", "none", None), ("a", "tiny", "none", None)]
ONLY_B = [("b", "b9", "none", None), ("b", "tiny", "none", None)]
EXACT = [("a", "a0", "exact", "b0"), ("a", "a1", "exact", "b1")]


@pytest.mark.parametrize("b", ["b.jsonl", "b.parquet", "b"])
def test_diff(here, compare, b):
    found = compare("diff", "a.jsonl", b)
    rows = [
        (side, name.removesuffix(".py"), match, twin and twin.removesuffix(".py"))
        for side, name, match, twin in named(found)
    ]
    assert rows == ONLY_A + NEAR_A + ONLY_B + NEAR_B
    counts = [found["a"][kind]["files"] for kind in ("exact", "near", "none")]
    assert counts == [found["b"][kind]["files"] for kind in ("exact", "near", "none")] == [2, 2, 2]
    assert (found["a"]["files"], found["a"]["bytes"]) == (6, sum(map(len, A.values())))
    assert found["b"]["none"]["bytes"] == len(B["b9"] + B["tiny"])
    assert (found["threshold"], found["verified"], found["standard_error"]) == (0.7, True, 0.0)
    assert "result" not in found


@pytest.mark.parametrize(
    ("operation", "rows", "size"),
    [
        ("intersect", EXACT + NEAR_A, sum(len(A[k]) for k in ("a0", "a1", "a2", "a3"))),
        ("subtract", ONLY_A, len(A["a4"] + A["tiny"])),
        ("union", ONLY_B, sum(map(len, A.values())) + len(B["b9"] + B["tiny"])),
    ],
)
def test_operations(here, compare, operation, rows, size):
    found = compare(operation, "a.jsonl", "b.jsonl")
    assert named(found) == rows
    assert found["result"] == {"files": 8 if operation == "union" else len(rows), "bytes": size}


def test_thresholds(here, compare):
    jaccard = {
        row["id"]: row["jaccard"] for row in compare("diff", "a.jsonl", "b.jsonl")["files"] if row["side"] == "a"
    }
    assert 0.8 < jaccard["a2"] < 1.0
    assert jaccard["a3"] == 1.0
    found = compare("intersect", "a.jsonl", "b.jsonl", "--threshold", "1")
    assert [row["id"] for row in found["files"]] == ["a0", "a1", "a3"]
    found = compare("intersect", "a.jsonl", "b.jsonl", "--exact")
    assert named(found) == EXACT
    assert (found["threshold"], found["verified"], found["permutations"]) == (None, None, None)


def test_limit(here, compare):
    found = compare("diff", "a.jsonl", "b.jsonl", "--limit", "1")
    assert named(found) == ONLY_A[:1] + NEAR_A[:1] + ONLY_B[:1] + NEAR_B[:1]
    assert found["a"]["none"]["files"] == 2
    assert compare("diff", "a.jsonl", "b.jsonl", "--limit", "0")["files"] == []


def test_rows_are_written_as_they_were(here, compare):
    lines = {name: (here / f"{name}.jsonl").read_text().splitlines(keepends=True) for name in "ab"}
    compare("subtract", "a.jsonl", "b.jsonl", "--out", "only.jsonl")
    assert (here / "only.jsonl").read_text() == "".join(lines["a"][4:])
    compare("intersect", "a.jsonl", "b.parquet", "--out", "both.parquet")
    assert pq.read_table("both.parquet").to_pylist() == [json.loads(line) for line in lines["a"][:4]]
    compare("union", "a.jsonl", "b.jsonl", "--out", "union.jsonl.gz")
    assert gzip.decompress((here / "union.jsonl.gz").read_bytes()).decode() == "".join([*lines["a"], *lines["b"][4:]])


def test_the_list(here, compare):
    compare("diff", "a.jsonl", "b.jsonl", "--list", "all.csv", "--limit", "0")
    rows = list(csv.DictReader((here / "all.csv").read_text().splitlines()))
    assert [row["id"] for row in rows] == [*A, *B]
    assert rows[0] == {"side": "a", "id": "a0", "match": "exact", "twin": "b0", "jaccard": "1.0"}
    assert rows[4] == {"side": "a", "id": "a4", "match": "none", "twin": "", "jaccard": ""}
    compare("union", "a.jsonl", "b.jsonl", "--list", "all.parquet")
    assert pq.read_table("all.parquet")["id"].to_pylist() == [*A, "b9", "tiny"]
    compare("subtract", "a.jsonl", "b.jsonl", "--list", "all.jsonl")
    assert [json.loads(line)["id"] for line in (here / "all.jsonl").read_text().splitlines()] == ["a4", "tiny"]


@pytest.mark.parametrize("key", [(), ("--key-file", "key.txt")], ids=["public", "key"])
def test_signatures(here, compare, key):
    made = compare("sign", "b.jsonl", "--out", "b.signatures", *key)
    assert made == {
        "file": "b.signatures",
        "files": 6,
        "bytes": (here / "b.signatures").stat().st_size,
        "key": bool(key),
        "names": not key,
        "left_out": [],
    }
    found = compare("subtract", "a.jsonl", "b.signatures", *key)
    assert named(found) == ONLY_A
    assert found["verified"] is False
    assert round(found["standard_error"], 3) == 0.029
    assert (found["b"]["signatures_only"], found["b"]["bytes"]) == (True, None)
    found = compare("intersect", "b.signatures", "a.jsonl", *key, "--exact")
    assert sorted(row["twin"] for row in found["files"]) == ["a0", "a1"]
    compare("sign", "a.jsonl", "--out", "a.signatures", *key, "--names")
    found = compare("intersect", "a.signatures", "b.signatures")  # equal keys need not be given
    assert sorted(row["id"] for row in found["files"]) == ["a0", "a1", "a2", "a3"]
    assert found["result"] == {"files": 4, "bytes": None}


def test_names(here, compare):
    for name, options in [("public", []), ("hashed", ["--no-names"]), ("key", ["--key-file", "key.txt"])]:
        compare("sign", "a.jsonl", "--out", name, *options)
    ids = {name: pq.read_table(name)["id"].to_pylist() for name in ("public", "hashed", "key")}
    assert ids["public"] == list(A)
    assert not set(ids["hashed"]) & {*A, *ids["key"]}
    assert not set(ids["key"]) & set(A)


def test_signed_otherwise(here, compare):
    options = ["--permutations", "64", "--tokenisation", "bigcode-v2"]
    compare("sign", "b.jsonl", "--out", "b.signatures", *options)
    found = compare("subtract", "a.jsonl", "b.signatures")
    assert (found["permutations"], found["tokenisation"]) == (64, "bigcode-v2")
    assert round(found["standard_error"], 3) == 0.057
    assert named(found) == [("a", "a3", "none", None), *ONLY_A]  # blank lines are tokens to BigCode


def test_words(here, compare):
    text = compare("diff", "a.jsonl", "b.jsonl", "--limit", "1", plain=True)
    for line in [
        "A  a.jsonl: 6 files, 3.4 kB",
        "2  of A exactly in B  (1.4 kB)",
        "2  only in B  (681 B)",
        "  a2  0.",
        "  … and 1 more; --limit shows more, --list writes all",
    ]:
        assert line in text, text
    assert "standard error" not in text
    compare("sign", "b.jsonl", "--out", "b.signatures", plain=True)
    text = compare("union", "b.signatures", "a.jsonl", plain=True)
    assert "B  a.jsonl: 6 files, 3.4 kB" in text
    assert "A  b.signatures: 6 files (signatures only)" in text
    assert "estimated from signatures, standard error 0.029" in text
    assert "union: 8 files" in text
    text = compare("subtract", "a.jsonl", "b.jsonl", "--exact", plain=True)
    assert "compared by their bytes alone" in text
    assert "nearly" not in text


def test_what_is_left_out_is_told(here, compare):
    (here / "b" / "picture.py").write_bytes(b"\x89PNG\0\1\2")
    found = compare("subtract", "a.jsonl", "b")
    assert [one["path"] for one in found["b"]["left_out"]] == ["picture.py"]
    assert found["b"]["files"] == len(B)
    assert "picture.py" in compare("subtract", "a.jsonl", "b", plain=True)
    assert "picture.py" in compare("sign", "b", "--out", "x", plain=True)


def test_names_of_strangers_do_not_reach_the_terminal(here, compare):
    (here / "odd.jsonl").write_text(json.dumps({"id": "\x1b[31mred", "content": text(7)}) + "\n")
    told = compare("subtract", "odd.jsonl", "b.jsonl", plain=True)
    assert "\x1b" not in told
    assert r"\x1b[31mred" in told


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        ("diff a.jsonl c.jsonl", "c.jsonl does not exist", ""),
        ("diff a.jsonl b.signatures", "b.signatures is signed with a key", "--key-file FILE"),
        ("diff b.signatures a.jsonl --key-file other.txt", "signed with another key", ""),
        ("diff a.jsonl public.signatures --key-file key.txt", "is signed without a key", "leave --key-file out"),
        ("diff a.jsonl b.jsonl --key-file key.txt", "the texts of both a.jsonl and b.jsonl are there", ""),
        ("diff public.signatures b.signatures", "only one of them is signed with a key", ""),
        ("diff public.signatures small.signatures", "permutations 256 and 64", "sign one of them as the other is"),
        ("diff a.jsonl public.signatures --tokenisation bigcode-v2", "signed with tokenisation words", "leave"),
        ("diff a.jsonl b.jsonl --key-file none.txt", "cannot read the key file none.txt", "secrets.token_hex"),
        ("union a.jsonl public.signatures --out x.jsonl", "public.signatures holds signatures, no rows", "--list"),
        ("subtract public.signatures a.jsonl --out x.jsonl", "public.signatures holds signatures, no rows", "--list"),
        ("subtract a.jsonl b.jsonl --out x.txt", "x.txt: its name does not say what to write", ".jsonl"),
        ("subtract a.jsonl b.jsonl --out x.csv", "x.csv: its name does not say what to write", ".parquet"),
        ("subtract a.jsonl b.jsonl --out a.jsonl", "a.jsonl is read, so it cannot be written", ""),
        ("subtract a.jsonl b --out b/x.jsonl", "b/x.jsonl lies in a folder that is read", "write elsewhere"),
        ("subtract a.jsonl b.jsonl --out x.jsonl --list x.jsonl", "--list and --out are both x.jsonl", ""),
        ("subtract a.jsonl b.jsonl --out no/x.jsonl", "there is no folder no", "mkdir -p no"),
        ("subtract a.jsonl b.jsonl --out b", "b is in the way", ""),
        ("sign public.signatures --out x", "is a file of signatures already", ""),
        ("sign a.jsonl --out key.txt --key-file key.txt", "key.txt is read, so it cannot be written", ""),
        ("sign a.jsonl --out x --content stars", "holds no texts", ""),
    ],
    ids=lambda value: value[:70],
)
def test_refused(here, compare, arguments, problem, hint):
    for name, options in [("b", ["--key-file", "key.txt"]), ("public", []), ("small", ["--permutations", "64"])]:
        if f"{name}.signatures" in arguments:
            compare("sign", "b.jsonl", "--out", f"{name}.signatures", *options)
    before = sorted(here.iterdir())
    with pytest.raises(UserError) as raised:
        compare(*arguments.split())
    assert problem in raised.value.problem
    assert hint in (raised.value.hint or "")
    assert sorted(here.iterdir()) == before


def test_a_workspace(here, compare, built):
    """Its dataset, against a folder of source files."""
    (here / "mine").mkdir()
    (here / "mine" / "copy.py").write_bytes(code("b"))
    (here / "mine" / "new.py").write_text(text(1))
    found = compare("subtract", "mine", built.root)
    assert [row["id"] for row in found["files"]] == ["new.py"]
    assert found["b"]["files"] == sum(row["verdict"] in ("kept", "changed") for row in built.ledger().values())
    found = compare("intersect", built.root, "mine")
    assert [(row["id"], row["twin"]) for row in found["files"]] == [("one:b.py", "copy.py")]


def test_wrong_use(here, compare, cli, refused):
    for options in (["--threshold", "0.5"], ["--tokenisation", "words"]):
        with pytest.raises(click.UsageError, match="--exact compares bytes"):
            compare("diff", "a.jsonl", "b.jsonl", "--exact", *options)
    with pytest.raises(click.NoSuchOption):
        compare("diff", "a.jsonl", "b.jsonl", "--out", "x.jsonl")
    refused(cli("compare", "diff", "a.jsonl", "nowhere"), "nowhere does not exist")


def test_interrupted(here):
    """Ctrl-C leaves no half file, and what stood there stands."""
    rows = "".join(json.dumps({"id": str(k), "content": text(k, 200)}) + "\n" for k in range(3000))
    (here / "many.jsonl").write_text(rows)
    (here / "out.signatures").write_text("before")
    before = sorted(here.iterdir())
    program = "from starloom.commands import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "compare", "sign", "many.jsonl", "--out", "out.signatures"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(here)},
    )
    deadline = time.monotonic() + 60
    while not list(here.glob("starloom-sign-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert (here / "out.signatures").read_text() == "before"
    assert sorted(here.iterdir()) == before

"""`starloom dedup` on anybody's data: what stays, what goes and why, in every form; nothing half written."""

import gzip
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from starloom.commands import _inputs, dedup
from starloom.dedup.signature import Tokenisation
from starloom.errors import UserError
from the_stack import building
from the_stack.building import code


def edited(data, share):
    """The text with some of its lines taken out."""
    lines = data.decode().splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines) if number % round(1 / share))


BASE, OTHER = code("base", 40).decode(), code("other", 40).decode()
ROWS = [
    {"id": "worse", "content": edited(BASE.encode(), 0.05), "stars": 1, "lang": "Python"},
    {"id": "base", "content": BASE, "stars": 9, "lang": "Python"},
    {"id": "other", "content": OTHER, "stars": None, "lang": "Python"},
    {"id": "text", "content": BASE, "stars": 9, "lang": "Text"},
    {"id": "short", "content": "a b c", "stars": 0, "lang": "Text"},
    {"id": "short too", "content": "a b c", "stars": 0, "lang": "Text"},
    {"id": "none", "content": None, "stars": 0, "lang": None},
]


def jaccard(one, two):
    sets = []
    for text in (one, two):
        tokens = re.findall(r"\w+", text.lower())
        sets.append(set(zip(*(itertools.islice(tokens, k, None) for k in range(5)))))
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.fixture
def run():
    """`run("data.jsonl", …)`: the answer of --json; what is refused is raised."""

    def ask(*arguments):
        done = CliRunner().invoke(dedup.command, [*map(str, arguments), "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return ask


def gone(answer):
    return {pair["id"]: pair["twin"] for pair in answer["pairs"]}


def test_what_goes_and_why(run, data):
    found = run(data)
    assert (found["kept"], found["removed"], found["clusters"]) == (5, 2, 1)
    similarity = jaccard(ROWS[0]["content"], BASE)
    assert 0.7 < similarity < 1
    assert found["pairs"] == [
        {"id": "base", "twin": "worse", "jaccard": similarity},
        {"id": "text", "twin": "worse", "jaccard": similarity},
    ]
    assert found["bytes"] == sum(len(row["content"] or "") for row in ROWS)
    assert found["removed_bytes"] == 2 * len(BASE)
    assert found["candidates"] >= 1
    assert found["capped_buckets"] == 0
    assert found["settings"]["permutations"] == 256
    assert found["threshold"] == 0.7
    assert run(data, "--threshold", "1")["pairs"] == [{"id": "text", "twin": "base", "jaccard": 1.0}]


@pytest.mark.parametrize(
    ("options", "pairs"),
    [
        (["--prefer", "stars:desc"], {"worse": "base", "text": "base"}),
        (["--prefer", "stars"], {"base": "worse", "text": "worse"}),
        (["--prefer", "stars:desc", "--prefer", "lang:desc"], {"worse": "text", "base": "text"}),
        (["--prefer", "length_bytes:desc"], {"worse": "base", "text": "base"}),
        (["--within", "lang"], {"base": "worse"}),
        (["--within", "lang", "--prefer", "stars:desc"], {"worse": "base"}),
        (["--within", "stars"], {"text": "base"}),
        (["--id", "lang"], {"Python": "Python", "Text": "Python"}),
        (["--tokenisation", "bigcode-v2"], {"base": "worse", "text": "worse"}),
        (["--tokenisation", "text-dedup", "--permutations", "64"], {"base": "worse", "text": "worse"}),
    ],
    ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, list) else "",
)
def test_which_stays(run, data, options, pairs):
    assert gone(run(data, *options)) == pairs


def test_null_is_never_preferred(run, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"id": k, "content": BASE, "n": n}) + "\n" for k, n in enumerate([None, 2, 1])))
    assert gone(run(path, "--prefer", "n")) == {"0": "2", "1": "2"}
    assert gone(run(path, "--prefer", "n:desc")) == {"0": "1", "2": "1"}


def test_rows_that_stay_are_written_as_they_were(run, data, tmp_path):
    lines = data.read_bytes().splitlines(keepends=True)
    stay = [lines[k] for k in (0, 2, 4, 5, 6)]
    run(data, "--out", tmp_path / "kept.jsonl")
    assert (tmp_path / "kept.jsonl").read_bytes() == b"".join(stay)
    run(data, "--out", tmp_path / "kept.jsonl.gz", "--removed", tmp_path / "gone.csv")
    assert gzip.decompress((tmp_path / "kept.jsonl.gz").read_bytes()) == b"".join(stay)
    similarity = jaccard(ROWS[0]["content"], BASE)
    assert (tmp_path / "gone.csv").read_text() == f"id,twin,jaccard\nbase,worse,{similarity}\ntext,worse,{similarity}\n"
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "x.parquet")
    run(tmp_path / "x.parquet", "--out", tmp_path / "kept.parquet", "--removed", tmp_path / "gone.parquet")
    assert pq.read_table(tmp_path / "kept.parquet").to_pylist() == [ROWS[k] for k in (0, 2, 4, 5, 6)]
    assert pq.read_table(tmp_path / "gone.parquet").column("twin").to_pylist() == ["worse", "worse"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("data.jsonl", "gone.csv", "gone.parquet", "kept.jsonl", "kept.jsonl.gz", "kept.parquet", "x.parquet"),
    ]


def test_folders_against_each_other(run, tmp_path):
    for name in ("src", "vendor"):
        building.folder(tmp_path / name, {"a.py": BASE.encode(), "b.py": code(name), "logo.png": b"\0"})
    found = run(tmp_path / "src", tmp_path / "vendor")
    assert gone(found) == {f"{tmp_path}/vendor/a.py": f"{tmp_path}/src/a.py"}
    assert [one["path"] for one in found["left_out"]] == [f"{tmp_path}/src/logo.png", f"{tmp_path}/vendor/logo.png"]


def test_a_workspace_is_its_dataset(run, built, tmp_path):
    stay = {place for place, row in built.ledger().items() if row["verdict"] in ("kept", "changed")}
    assert run(built.root)["kept"] == len(stay) > 3
    copies = building.folder(tmp_path / "copies", {"again.py": code("a", 40), "new.py": code("new")})
    found = run(built.root, copies)
    assert gone(found) == {f"{copies}/again.py": "one:src/pkg/a.py"}
    assert found["kept"] == len(stay) + 1
    with pytest.raises(UserError, match="no column `pth`"):
        run(built.root, "--id", "pth")


def test_in_words(cli, tmp_path):
    rows = [
        *({"id": f"\x1b[31m{k}", "content": BASE.replace("return", "return  ", k)} for k in range(3)),
        {"id": "near", "content": ROWS[0]["content"]},
        {"id": "near", "content": OTHER},
    ]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = cli("dedup", "x.jsonl")
    assert done.returncode == 0, done.stderr
    assert "nothing was written" in done.stderr
    assert "\x1b" not in done.stdout  # an id cannot colour the terminal
    assert done.stdout.startswith("x.jsonl: 5 texts, ")
    assert "5 texts have 4 ids" in done.stdout
    assert "\n2 stay, 3 go (60.0 %, " in done.stdout
    assert re.search(r"most copies, of 1 cluster:\n +3  \\x1b\[31m0\n", done.stdout)
    assert re.search(r"\n +0\.\d{3}  near\n +\\x1b\[31m0 stays\n", done.stdout)
    assert re.search(r"\n +1\.000  \\x1b\[31m\d\n", done.stdout)


def test_nothing_to_find(run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.jsonl").touch()
    for name in ("empty", "x.jsonl"):
        found = run(tmp_path / name, "--out", tmp_path / "kept.jsonl")
        assert (found["kept"], found["removed"], found["pairs"]) == (0, 0, [])
        assert (tmp_path / "kept.jsonl").read_bytes() == b""
    done = CliRunner().invoke(dedup.command, [str(tmp_path / "x.jsonl")], catch_exceptions=False)
    assert "0 texts" in done.stdout


def test_explain_reads_nothing():
    done = CliRunner().invoke(dedup.command, ["--explain", "--threshold", "0.8", "nowhere.jsonl"])
    assert done.exit_code == 0
    assert "0.8" in done.stdout
    assert "256 permutations" in done.stdout
    found = json.loads(CliRunner().invoke(dedup.command, ["--explain", "--json"]).stdout)
    assert found["settings"]["bands"] * found["settings"]["rows"] <= 256
    assert found["explanation"] in CliRunner().invoke(dedup.command, ["--explain"]).stdout


def test_the_tokenisations_are_all_there():
    assert get_args(Tokenisation) == _inputs.TOKENISATIONS


# Refused before anything is read or written


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl does not exist"),
        (["data.jsonl", "--out", "data.jsonl"], "is read, so it cannot be written"),
        (["data.jsonl", "--out", "kept.csv"], "does not say what to write"),
        (["data.jsonl", "--out", "nowhere/kept.jsonl"], "there is no folder"),
        (["data.jsonl", "--out", "data.jsonl/kept.jsonl"], "data.jsonl is no folder"),
        (["data.jsonl", "--out", "/proc/kept.jsonl"], "cannot write /proc/kept.jsonl: Operation not permitted"),
        (["data.jsonl", "--out", "folder.jsonl"], "no regular file"),
        (["data.jsonl", "--out", "x.jsonl", "--removed", "x.jsonl"], "both"),
        (["data.jsonl", "--within", "language"], "no column `language`"),
        (["data.jsonl", "--prefer", "star:desc"], "no column `star`"),
        (["data.jsonl", "--prefer", "tags"], "tags: list<item: int64> cannot be put in order"),
        (["data.jsonl", "--within", "tags"], "tags: list<item: int64> cannot be compared"),
        (["data.jsonl", "--content", "contents"], "no column `contents`"),
        (["data.jsonl", "--id", "ids"], "no column `ids`"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_refused(tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.jsonl").mkdir()
    before = json.dumps({"id": 1, "content": BASE, "tags": [1]})
    (tmp_path / "data.jsonl").write_text(before)
    with pytest.raises(UserError) as refused:
        CliRunner().invoke(dedup.command, options, catch_exceptions=False)
    assert words in refused.value.problem
    assert refused.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.jsonl", "folder.jsonl"]
    assert (tmp_path / "data.jsonl").read_text() == before


@pytest.mark.parametrize("options", [[], ["x.jsonl", "--threshold", "0"], ["x.jsonl", "--permutations", "0"]])
def test_wrong_use(options):
    assert CliRunner().invoke(dedup.command, options).exit_code == 2


def test_a_failure_leaves_what_was_there(tmp_path, data):
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text('{"content": "x", "n": 1}\n{"content": "y", "n": "one"}\n')
    (tmp_path / "kept.parquet").write_text("before")
    with pytest.raises(UserError, match="several kinds"):
        CliRunner().invoke(dedup.command, [str(mixed), "--out", str(tmp_path / "kept.parquet")], catch_exceptions=False)
    assert (tmp_path / "kept.parquet").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.jsonl", "kept.parquet", "mixed.jsonl"]


@pytest.mark.slow
def test_interrupted_it_leaves_no_half_file(tmp_path):
    """Ctrl-C while the rows are being written, and while they are read."""
    text = "".join(f"unique_{number} = {number}\n" for number in range(200))
    with (tmp_path / "x.jsonl").open("w") as file:
        for number in range(20_000):
            file.write(json.dumps({"id": number, "content": text.replace("unique", f"name_{number}")}) + "\n")
    (tmp_path / "scratch").mkdir()
    command = [sys.executable, "-c", "from starloom.commands import main; main()"]
    command += ["dedup", "x.jsonl", "--out", "kept.jsonl.gz"]
    environment = os.environ | {"TMPDIR": str(tmp_path / "scratch")}
    for moment in (lambda: any((tmp_path / "scratch").iterdir()), lambda: any(tmp_path.glob(".kept*"))):
        running = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        while running.poll() is None and not moment():
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
        assert running.returncode == 130, told
        assert "Traceback" not in told
        assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch", "x.jsonl"]
        assert list((tmp_path / "scratch").iterdir()) == []

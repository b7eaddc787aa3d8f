"""What is private in a file is replaced in the dataset, and nowhere else; the ledger says how much."""

import json
import re
from collections import Counter

import pyarrow as pa
import pytest

from starloom.errors import UserError
from starloom.privacy.finding import KINDS, Finding
from starloom.privacy.replace import RedactSettings, SourceRedaction, replaced
from starloom.the_stack import redactions, tables, write
from the_stack import building

ADA = "ada.lovelace" + "@" + "analytical-engines.dev"
BOB = "bob.builder" + "@" + "analytical-engines.dev"
TOKEN = "ghp" + "_" + "iK2ZWeqhFWCEPyYngFb51yBMWXaSCrUZoL8g"[:36]
KEY = "a key of no importance"
SYNTHETIC = f'\n[redact]\nkey = "{KEY}"\n[redact.source]\nreplace = "synthetic"\n'
HELD_OUT = "\n[decide]\nheld_out = 0.0\n"

FILES = {
    "a.py": f"# {ADA}\n# <EMAIL> is what {ADA}\r\n# and {BOB} wrote\n".encode() + building.code("a"),
    "b.py": building.code("b"),
    "c.py": f"# Übung, größer: {ADA}\n".encode("latin-1") + building.code("c"),
    "d.py": f"# 你好 🙂 {BOB}\n".encode("utf-16") + building.code("d").decode().encode("utf-16-le"),
    "e.py": f"# {ADA} is dropped".encode() + b" and long" * 500 + b"\n" + building.code("e"),
    "f.py": building.code("f") + f"# {ADA}".encode(),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    base = tmp_path_factory.mktemp("redactions")
    source = building.folder(base / "r", FILES)
    return building.Workspace(base / "w", source, extra=building.ENGINE + HELD_OUT).build()


def again(built, toml):
    """The ledger and the dataset with more settings, and the log of what ran, by stage; afterwards all is as before."""
    before = built.settings_file.read_text()
    try:
        built.configure(toml)
        ran = built.build_again()
        return built.ledger(), {row["path"]: row for row in built.dataset()}, ran
    finally:
        built.settings_file.write_text(before)
        built.build()


def test_the_dataset(built):
    rows = {row["path"]: row for row in built.dataset()}
    text = building.code("a").decode()
    assert rows["a.py"]["content"] == f"# <EMAIL>\n# <EMAIL> is what <EMAIL>\r\n# and <EMAIL> wrote\n{text}"
    assert rows["a.py"]["redactions"] == [
        {"start": 2, "end": 9, "kind": "EMAIL"},
        {"start": 28, "end": 35, "kind": "EMAIL"},  # not the one that was written
        {"start": 43, "end": 50, "kind": "EMAIL"},
    ]
    assert rows["b.py"]["content"] == building.code("b").decode()
    assert rows["b.py"]["redactions"] == []
    assert rows["c.py"]["content"].startswith("# Übung, größer: <EMAIL>\n")
    assert rows["d.py"]["content"].startswith("# 你好 🙂 <EMAIL>\n")
    assert rows["f.py"]["content"].endswith("# <EMAIL>")
    assert ADA not in json.dumps(built.dataset(), ensure_ascii=False)
    for row in rows.values():
        assert [row["content"][one["start"] : one["end"]] for one in row["redactions"]] == ["<EMAIL>"] * len(
            row["redactions"]
        )


def test_the_other_columns_are_about_the_file_as_it_was(built):
    for row in built.dataset():
        data = FILES[row["path"]]
        assert row["length_bytes"] == len(data)
        assert row["content_id"] == built.row("r", row["path"])["content_id"]


@pytest.mark.parametrize(
    ("path", "verdict", "rule", "value", "limit"),
    [
        ("a.py", "changed", "redaction", "3 EMAIL", "[redact.source] kinds: EMAIL, IP_ADDRESS, KEY, PASSWORD, NAME"),
        ("b.py", "kept", None, None, None),
        (
            "c.py",
            "changed",
            "redaction",
            "1 EMAIL; WINDOWS-1252",
            "[redact.source] kinds: EMAIL, IP_ADDRESS, KEY, PASSWORD, NAME; src_encoding <> 'UTF-8'",
        ),
        (
            "d.py",
            "changed",
            "redaction",
            "1 EMAIL; UTF-16",
            "[redact.source] kinds: EMAIL, IP_ADDRESS, KEY, PASSWORD, NAME; src_encoding <> 'UTF-8'",
        ),
        ("e.py", "dropped", "long-line", None, None),
        ("f.py", "changed", "redaction", "1 EMAIL", "[redact.source] kinds: EMAIL, IP_ADDRESS, KEY, PASSWORD, NAME"),
    ],
)
def test_the_ledger(built, path, verdict, rule, value, limit):
    row = built.row("r", path)
    assert (row["verdict"], row["rule"]) == (verdict, rule)
    if verdict != "dropped":
        assert (row["value"], row["limit"]) == (value, limit)


def test_ledger_and_dataset_count_alike(built):
    ledger, dataset, _ = again(built, '\n[redact.source]\nkinds = ["EMAIL", "NAME", "USERNAME"]\n')
    for row in dataset.values():
        kinds = Counter(one["kind"] for one in row["redactions"])
        said = (ledger["r", row["path"]]["value"] or "").split("; ")[0]
        assert said == redactions.counted(kinds) or not kinds
    assert built.facts("dataset")["redactions"] == {"EMAIL": 6}


def test_switched_off(built):
    ledger, dataset, ran = again(built, '\n[redact.source]\nreplace = "none"\n')
    assert list(ran) == ["decide", "write", "collect"] or {"measure", "read"}.isdisjoint(ran)
    assert dataset["a.py"]["content"].encode() == FILES["a.py"]
    assert dataset["a.py"]["redactions"] == []
    assert ledger["r", "a.py"]["verdict"] == "kept"
    assert (ledger["r", "c.py"]["rule"], ledger["r", "c.py"]["value"]) == ("encoding", "WINDOWS-1252")
    assert ledger["r", "c.py"]["limit"] == "src_encoding <> 'UTF-8'"


def test_other_kinds(built):
    ledger, dataset, _ = again(built, '\n[redact.source]\nkinds = ["KEY"]\n')
    assert dataset["a.py"]["content"].encode() == FILES["a.py"]
    assert ledger["r", "a.py"]["verdict"] == "kept"


def test_invented_values(built):
    """The same for the same in every file; only `write` runs again; the key is nowhere in the workspace's outputs."""
    ledger, dataset, ran = again(built, SYNTHETIC)
    assert "write" in ran
    assert "decide" not in ran
    texts = {path: row["content"] for path, row in dataset.items()}
    one = re.match(r"# ([a-z]+\.[a-z0-9]{8}@example\.com)\n", texts["a.py"])[1]
    assert texts["a.py"].count(one) == 2
    assert texts["c.py"].startswith(f"# Übung, größer: {one}\n")
    assert texts["f.py"].endswith(f"# {one}")
    assert one not in texts["d.py"]
    assert [row["kind"] for row in dataset["a.py"]["redactions"]] == ["EMAIL"] * 3
    assert ledger["r", "a.py"]["value"] == "3 EMAIL"


def test_the_key_is_written_nowhere(tmp_path):
    source = building.folder(tmp_path / "r", FILES)
    made = building.Workspace(tmp_path / "w", source, extra=building.ENGINE + SYNTHETIC).build()
    holding = [path for path in made.root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert holding == [made.settings_file]
    first = made.outputs()
    made.replace(KEY, KEY[::-1])
    assert "write" in made.build_again()
    assert made.outputs() != first


def test_the_same_bytes_however_the_work_is_shared(tmp_path, monkeypatch):
    sources = [
        building.folder(tmp_path / name, {path: data + building.code(name) for path, data in FILES.items()})
        for name in "xyz"
    ]
    monkeypatch.setattr(write, "BUCKET_BYTES", 4000)
    one = building.Workspace(tmp_path / "one", *sources).build()
    two = building.Workspace(tmp_path / "two", *sources, extra=building.ENGINE.replace("1", "2")).build()
    assert any(row["redactions"] for row in one.dataset())
    assert one.outputs() == two.outputs()


def test_added_later(tmp_path):
    """A repository more, measured apart: its parts are found."""
    first, second = (
        building.folder(tmp_path / name, {f"{name}.py": f"# {ADA}\n".encode() + building.code(name)}) for name in "xy"
    )
    made = building.Workspace(tmp_path / "w", first, extra=building.ENGINE + HELD_OUT).build()
    made.add(second)
    made.build()
    assert {row["path"]: row["content"][:10] for row in made.dataset()} == {
        "x.py": "# <EMAIL>\n",
        "y.py": "# <EMAIL>\n",
    }


def test_ten_thousand_in_one_file(tmp_path):
    lines = [f'x{number} = "user{number}' + '@analytical-engines.dev"\r\n' for number in range(10_000)]
    source = building.folder(tmp_path / "r", {"a.py": "".join(lines).encode()})
    made = building.Workspace(tmp_path / "w", source, extra=building.ENGINE + HELD_OUT).build()
    (row,) = made.dataset()
    assert row["content"] == "".join(f'x{number} = "<EMAIL>"\r\n' for number in range(10_000))
    assert len(row["redactions"]) == 10_000
    assert made.row("r", "a.py")["value"] == "10000 EMAIL"


def test_a_damaged_part_is_named(tmp_path):
    source = building.folder(tmp_path / "r", FILES)
    made = building.Workspace(tmp_path / "w", source, extra=building.ENGINE).build()
    (path,) = tables.signal(made.root, redactions.SIGNAL)
    part = path.parent.name
    (path).write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"private\.parquet cannot be read") as raised:
        redactions.of_part(made.root, part, {"a"})
    assert "starloom build" in raised.value.hint


# Without a build


TEXTS = ["none here", f"{ADA} and {BOB}", "", f"🙂 {ADA}\r\n", None]


def findings(text):
    return [
        Finding(one.start(), one.end(), "EMAIL", "test", 0.5)._asdict()
        for one in re.finditer("|".join(map(re.escape, (ADA, BOB))), text or "")
    ]


@pytest.mark.parametrize("kinds", [("EMAIL",), ("KEY",), KINDS], ids="-".join)
@pytest.mark.parametrize("how", ["markers", "synthetic", "none"])
def test_columns(kinds, how):
    settings = RedactSettings(KEY, SourceRedaction(kinds, how))
    texts = TEXTS[:-1]
    found = {row: findings(text) for row, text in enumerate(texts) if findings(text)}
    given = pa.chunked_array([pa.array(texts[:1]), pa.array(texts[1:])])
    contents, noted = redactions.redacted(given, found, ["Python"] * len(texts), settings)
    expected = [replaced(text, (Finding(**one) for one in findings(text)), settings) for text in texts]
    assert contents.to_pylist() == [text for text, _ in expected]
    assert noted.type == tables.REDACTIONS
    assert noted.to_pylist() == [[one._asdict() for one in some] for _, some in expected]


def test_no_rows():
    contents, noted = redactions.redacted(pa.chunked_array([], pa.string()), {}, [], RedactSettings())
    assert (len(contents), len(noted)) == (0, 0)


def test_what_the_ledger_depends_on():
    """Not the order of kinds, nor how they are replaced."""
    some = [
        RedactSettings(source=SourceRedaction(("KEY", "EMAIL"))),
        RedactSettings(source=SourceRedaction(("EMAIL", "KEY", "KEY"))),
        RedactSettings(KEY, SourceRedaction(("EMAIL", "KEY"), "synthetic")),
    ]
    assert {json.dumps(redactions.decisive(one)) for one in some} == {'["EMAIL", "KEY"]'}
    assert len({json.dumps(redactions.telling(one)) for one in some}) == 2
    assert redactions.decisive(RedactSettings(source=SourceRedaction(KINDS, "none"))) == []
    assert KEY not in json.dumps(redactions.telling(some[2]))

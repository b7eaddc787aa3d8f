"""`starloom ledger`, `starloom ledger diff` and `starloom tune` as a person or a program calls them."""

import csv
import io
import json

import pytest


def read(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ledger_by_itself(cli, built):
    text = read(cli("ledger", cwd=built.root))
    assert "matched_rules" in text
    assert "For example:" in text
    found = json.loads(read(cli("ledger", "--json", cwd=built.root)))
    assert {"tables", "examples"} == set(found)


COUNTS = "SELECT verdict, count(*) AS files FROM ledger GROUP BY verdict ORDER BY verdict"


def test_sql(cli, built):
    ledger = list(built.ledger().values())
    wanted = [
        [verdict, sum(row["verdict"] == verdict for row in ledger)]
        for verdict in sorted({r["verdict"] for r in ledger})
    ]
    assert len(wanted) == 4
    found = json.loads(read(cli("ledger", "--json", "--sql", COUNTS, "-w", built.root)))
    assert [list(row.values()) for row in found["rows"]] == wanted
    rows = list(csv.reader(io.StringIO(read(cli("ledger", "--csv", "--sql", COUNTS, cwd=built.root)))))
    assert rows == [["verdict", "files"], *([verdict, str(files)] for verdict, files in wanted)]
    lines = read(cli("ledger", "--limit", "2", "--sql", COUNTS, cwd=built.root)).splitlines()
    assert [line.split() for line in lines[2:4]] == [[verdict, str(files)] for verdict, files in wanted[:2]]
    assert lines[4].startswith("… more than 2 rows")


def test_names_of_strangers_do_not_reach_the_terminal(cli, built):
    text = read(cli("ledger", "--sql", "SELECT path FROM ledger WHERE contains(path, 'odd')", cwd=built.root))
    assert "\x1b" not in text
    assert r"\x1b" in text


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (
            ["--sql", "SELECT verdit FROM ledger"],
            ["line 1, column 8: no column `verdit`", "did you mean `verdict`?"],
            1,
        ),
        (["--sql", "DROP VIEW ledger"], ["only a SELECT is allowed"], 1),
        (["--csv"], ["--csv needs --sql"], 2),
        (["--sql", "SELECT 1", "diff", ".", "small"], ["do not go with `diff`"], 2),
        (["diff", ".", "smal"], ["recipe `smal` is not known", "did you mean `small`?"], 1),
    ],
)
def test_refused(cli, built, refused, arguments, words, code):
    refused(cli("ledger", *arguments, cwd=built.root), *words, code=code)


def test_diff_of_settings(cli, built, tmp_path):
    """A recipe, a file of the recipe's form and one of starloom.toml's; nothing is written."""
    before = built.outputs()
    rule = '[[rules]]\nname = "no-b"\ndrop = "file_name = \'b.py\'"\n'
    (tmp_path / "recipe.toml").write_text(f'extends = "small"\n{rule}')
    (tmp_path / "whole.toml").write_text(f'recipe = "small"\n[decide]\nnear_duplicates = 0\n{rule}')

    def diff(*arguments):
        return json.loads(read(cli("ledger", "diff", *arguments, "--json", "-w", built.root)))

    found = diff(".", tmp_path / "recipe.toml")
    changes = {(one["repo_name"], one["path"]): (one["verdict_b"], one["rule_b"]) for one in found["files"]}
    assert changes == {("one", "b.py"): ("dropped", "no-b"), ("two", "copy.py"): ("kept", None)}
    assert found["total"] == 2
    assert [one["limit_b"] for one in found["files"] if one["path"] == "b.py"] == ["file_name = 'b.py'"]
    found = diff(tmp_path / "recipe.toml", tmp_path / "whole.toml")
    changes = {(one["path"], one["rule_a"], one["verdict_b"]) for one in found["files"]}
    assert changes == {("near.py", "near-duplicate", "kept")}
    assert built.outputs() == before


def test_diff_of_workspaces(cli, built, tmp_path):
    """`.` is the workspace around, whatever else is compared."""
    text = read(cli("ledger", "diff", built.root, ".", cwd=built.root / "ledger"))
    assert "no file is judged differently" in text
    text = read(cli("ledger", "diff", built.root, built.root, cwd=tmp_path))
    assert "no file is judged differently" in text
    assert f"A  {built.root}: " in text


def test_diff_below_the_floor(cli, built, refused, tmp_path):
    (tmp_path / "low.toml").write_text('extends = "small"\n[decide]\nnear_duplicates = 0.1\n')
    refused(
        cli("ledger", "diff", ".", tmp_path / "low.toml", "-w", built.root),
        "is below [pair] floor",
    )


def test_tune(cli, built):
    text = read(cli("tune", "few-letters", cwd=built.root))
    assert "alpha_fraction < 0.25" in text
    assert "dropped if" in text
    found = json.loads(
        read(cli("tune", "long-line", "--column", "max_line_length", "--at", "30", "--json", cwd=built.root))
    )
    kept = {one["limit"]: one["files"] for one in found["limits"][0]["kept"]}
    stays = [row for row in built.ledger().values() if row["verdict"] in ("kept", "changed")]
    assert kept[1000.0] == len(stays)
    assert kept[30.0] < len(stays)


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["tune", "few-leters"], ["no rule `few-leters`", "did you mean `few-letters`?"], 1),
        (["tune", "few-letters", "--at", "nan"], ["--at is no finite number"], 1),
    ],
)
def test_tune_refused(cli, built, refused, arguments, words, code):
    refused(cli(*arguments, cwd=built.root), *words, code=code)


@pytest.mark.parametrize("arguments", [["ledger"], ["tune", "few-letters"]])
def test_not_built(cli, refused, tmp_path, built, arguments):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "starloom.toml").write_text(built.settings_file.read_text())
    refused(cli(*arguments, "-w", tmp_path / "new"), "is missing", "starloom build")

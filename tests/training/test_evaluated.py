"""evaluations.jsonl: what is written is read back, what is damaged is passed over."""

import dataclasses
import json
import math

import pytest
from click.testing import CliRunner

from starloom.commands.status import command
from starloom.training import runs
from starloom.training.evaluated import FILE, Evaluated, read
from starloom.training.runs import Record
from training.packing import tiny

ONE = Evaluated(500, 1.25, {"Python": 1.0, "größer": 2.0}, 1, 4, 900, 0.5)


def test_written_and_read(tmp_path):
    others = [ONE, dataclasses.replace(ONE, step=1000, languages={}, gaps=0)]
    (tmp_path / FILE).write_text("".join(one.to_line() for one in others))
    assert read(tmp_path) == others


def test_none(tmp_path):
    assert read(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "line",
    [
        '{"step": 1000, "bits',  # torn
        "[]",
        "7",
        "[" * 100_000,
        ONE.to_line().replace("500", '"no number"'),
        ONE.to_line().replace('{"Python": 1.0', '{"Python": [1.0]'),
        ONE.to_line().replace('"seconds"', '"hours"'),
        ONE.to_line().replace('"step"', '"unknown": 1, "step"'),
    ],
)
def test_damaged_lines(tmp_path, line):
    (tmp_path / FILE).write_text(f"{line.strip()}\n{ONE.to_line()}")
    assert read(tmp_path) == [ONE]


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / FILE).write_bytes(b"\xff\xfe\n" + ONE.to_line().encode())
    assert read(tmp_path) == [ONE]


def test_no_number(tmp_path):
    """null, as NaN is no JSON."""
    diverged = dataclasses.replace(ONE, bits_per_byte=math.inf, languages={"Python": math.nan})
    assert '"bits_per_byte": null' in diverged.to_line()
    (tmp_path / FILE).write_text(diverged.to_line())
    (found,) = read(tmp_path)
    assert math.isnan(found.bits_per_byte)
    assert math.isnan(found.languages["Python"])


def test_words():
    assert ONE.words() == "step 500: 1.250 bits per byte on held-out repositories, 1 of 4 gaps filled exactly"
    assert dataclasses.replace(ONE, gaps=0).words() == "step 500: 1.250 bits per byte on held-out repositories"


def test_status_tells_of_the_last_one(packed):
    root = packed()
    folder = root / "models" / "small"
    runs.write_record(folder, Record(tiny().outcome(), "0", "0", 294, 8640, 12, 1, "float32", "cpu", {}, started=""))
    status = [command, ["--workspace", str(root)]]
    assert "run small, 8,640 parameters\n" in CliRunner().invoke(*status, catch_exceptions=False).stdout
    diverged = dataclasses.replace(ONE, step=1000, languages={"Go": math.nan})
    (folder / FILE).write_text(ONE.to_line() + diverged.to_line())
    said = CliRunner().invoke(*status, catch_exceptions=False).stdout
    assert "run small, 8,640 parameters, 1.250 bits per byte after step 1,000\n" in said
    status[1].append("--json")
    told = json.loads(CliRunner().invoke(*status, catch_exceptions=False).stdout, parse_constant=pytest.fail)
    (run,) = told["runs"]
    assert run["evaluated"]["languages"] == {"Go": None}

"""Settings: what a person writes into a TOML file, and what they are told when it is wrong."""

import tomllib
from dataclasses import dataclass, field
from typing import Literal

import pytest

from starloom.errors import UserError
from starloom.settings import as_json, load, nearest, read_toml


@dataclass(frozen=True)
class Limits:
    longest: int = 1_000
    share: float = 0.5


@dataclass(frozen=True)
class Section:
    name: str
    keep: bool = True
    level: int = 3
    order: Literal["path", "random"] = "path"
    size: Literal[1, 2] = 1
    languages: tuple[str, ...] = ("Python",)
    limits: Limits = Limits()
    steps: tuple[Limits, ...] = ()
    note: str | None = None
    far_limits: Limits | None = None
    folders: tuple[tuple[str, ...], ...] = field(default_factory=tuple)


def section(text):
    return load(tomllib.loads(text), Section, "starloom.toml, [x]")


def test_defaults_and_values():
    assert section("name = 'a'") == Section("a")
    assert section(
        """
        name = "a"
        keep = false
        level = -1
        order = "random"
        size = 2
        languages = ["C", "Go"]
        limits = {longest = 5, share = 1}
        note = "n"
        far-limits.share = 0.25
        folders = [["a", "b"], []]
        [[steps]]
        longest = 1
        [[steps]]
        share = 0.75
        """
    ) == Section(
        "a",
        False,
        -1,
        "random",
        2,
        ("C", "Go"),
        Limits(5, 1.0),
        (Limits(1), Limits(share=0.75)),
        "n",
        Limits(share=0.25),
        (("a", "b"), ()),
    )


def test_whole_numbers_become_floats():
    share = section("name = 'a'\nlimits = {share = 1}").limits.share
    assert (share, type(share)) == (1.0, float)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("nam = 'a'", "starloom.toml, [x]: unknown key `nam`", "did you mean `name`?"),
        ("languagse = []", "starloom.toml, [x]: unknown key `languagse`", "did you mean `languages`?"),
        ("far-limit = 1", "starloom.toml, [x]: unknown key `far-limit`", "did you mean `far_limits`?"),
        ("limits.longst = 1", "starloom.toml, [x], key `limits`: unknown key `longst`", "did you mean `longest`?"),
        ("limits.q = 1", "starloom.toml, [x], key `limits`: unknown key `q`", "known here: longest, share"),
        ("steps = [{shar = 1}]", "starloom.toml, [x], key `steps`: unknown key `shar`", "did you mean `share`?"),
        ("keep = true", "starloom.toml, [x]: key `name` is missing", "add `name = …`"),
        ("name = 1", "starloom.toml, [x], key `name`: 1 is not text in quotes", "mend the value"),
        ("keep = 1", "starloom.toml, [x], key `keep`: 1 is not true or false", "mend the value"),
        ("keep = 'yes'", "starloom.toml, [x], key `keep`: 'yes' is not true or false", "mend the value"),
        ("level = '3'", "starloom.toml, [x], key `level`: '3' is not a whole number", "mend the value"),
        ("level = 3.0", "starloom.toml, [x], key `level`: 3.0 is not a whole number", "mend the value"),
        ("level = true", "starloom.toml, [x], key `level`: True is not a whole number", "mend the value"),
        ("level = 2024-01-01", "starloom.toml, [x], key `level`: datetime.date(2024, 1, 1) is not a whole", "mend"),
        ("limits.share = true", "starloom.toml, [x], key `limits`, key `share`: True is not a number", "mend"),
        ("limits.share = nan", "starloom.toml, [x], key `limits`, key `share`: nan is not a finite number", "mend"),
        ("limits.share = -inf", "starloom.toml, [x], key `limits`, key `share`: -inf is not a finite number", "mend"),
        ("order = 'size'", "starloom.toml, [x], key `order`: 'size' is not accepted", "one of: path, random"),
        ("order = ['path']", "starloom.toml, [x], key `order`: ['path'] is not accepted", "one of: path, random"),
        ("size = 3", "starloom.toml, [x], key `size`: 3 is not accepted", "one of: 1, 2"),
        ("languages = 'C'", "starloom.toml, [x], key `languages`: a list is expected, not 'C'", "square brackets"),
        ("languages = [1]", "starloom.toml, [x], key `languages`: 1 is not text in quotes", "mend the value"),
        ("folders = [1]", "starloom.toml, [x], key `folders`: a list is expected, not 1", "square brackets"),
        ("limits = 3", "starloom.toml, [x], key `limits`: 3 is not", "mend the value"),
        ("limits = []", "starloom.toml, [x], key `limits`: [] is not", "mend the value"),
        ("note = 1", "starloom.toml, [x], key `note`: 1 is not text in quotes", "mend the value"),
        ("far-limits = {}\nfar_limits = {}", "starloom.toml, [x]: key `far_limits` is there twice", "keep one"),
    ],
)
def test_what_is_wrong_is_named(text, problem, hint):
    with pytest.raises(UserError) as told:
        section(text)
    assert told.value.problem.startswith(problem)
    assert hint in told.value.hint


def test_nearest():
    assert nearest("memroy", ["memory", "workers"]) == "did you mean `memory`?"
    assert nearest("x", {"b", "a"}) == "known here: a, b"


def test_read_toml(tmp_path):
    (tmp_path / "ü.toml").write_text('[engine]\nmemory = "4GB"  # für große\n', encoding="utf-8")
    assert read_toml(tmp_path / "ü.toml") == {"engine": {"memory": "4GB"}}


@pytest.mark.parametrize(
    "content",
    [b"a = ", b"a = 1\na = 2\n", b"\xff\xfe", b"\xef\xbb\xbfa = 1", b"a = 'caf\xe9'", b"a = [" + b"[" * 5, b"\0"],
)
def test_what_is_no_toml_is_named(tmp_path, content):
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(UserError) as told:
        read_toml(tmp_path / "x.toml")
    assert told.value.problem.startswith(f"{tmp_path / 'x.toml'}: ")
    assert "toml.io" in told.value.hint


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(UserError, match="does not exist") as told:
        read_toml(tmp_path / "x.toml")
    assert "starloom init" in told.value.hint
    for path in (tmp_path, tmp_path / "file" / "x.toml"):
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match=r"directory"):
            read_toml(path)


def test_as_json_is_what_a_manifest_takes():
    whole = as_json(Section("a", steps=(Limits(1),)))
    assert whole["limits"] == {"longest": 1000, "share": 0.5}
    assert whole["steps"] == [{"longest": 1, "share": 0.5}]
    assert whole["languages"] == ["Python"]
    assert whole["note"] is None
    again = {key: value for key, value in whole.items() if value is not None}
    assert load(again, Section, "x") == Section("a", steps=(Limits(1),))

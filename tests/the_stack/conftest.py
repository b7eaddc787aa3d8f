"""Fixtures of the build's tests: workspaces of synthetic repositories, and rules asked about one row."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.stages import recipe_settings
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.rules import compile_rule
from the_stack import building

_FLOATS = ("avg_line_length", "avg_identifier_length", "quality_score")
_TYPES = {"text": pa.string(), "truth value": pa.bool_(), "number": pa.int64()}
SCHEMA = pa.schema(
    [
        (name, pa.float32() if name in _FLOATS or name.endswith("_fraction") else _TYPES[column.kind])
        for name, column in COLUMNS.items()
    ]
)


@pytest.fixture
def repository(tmp_path):
    """`repository(name, *commits, hours=0)`: a git repository; a commit is {path: bytes}."""
    return lambda name, *commits, hours=0: building.git_repository(tmp_path / "sources" / name, *commits, hours=hours)


@pytest.fixture
def folder(tmp_path):
    """`folder(name, {path: bytes})`: a plain folder."""
    return lambda name, files: building.folder(tmp_path / "sources" / name, files)


@pytest.fixture(scope="session")
def ask(tmp_path_factory):
    """`ask(rule, row, …)`: for each row (absent columns are null), whether the rule fires, with value and limit.
    `ask([rule, …], row)`: the same of each rule."""
    spill = tmp_path_factory.mktemp("spill")

    def about(rule, *rows):
        rules = rule if isinstance(rule, list) else [rule]
        columns = [
            f'{one.fires} AS "{number} fires", {one.value} AS "{number} value", {one.limit} AS "{number} limit"'
            for number, one in enumerate(map(compile_rule, rules))
        ]
        table = pa.Table.from_pylist([{"row": number} | row for number, row in enumerate(rows)], _numbered())
        with LocalEngine(EngineSettings(workers=1), spill) as engine:
            answers = engine.table(f"SELECT {', '.join(columns)} FROM t ORDER BY row", {"t": table}).to_pylist()
        keys = ("fires", "value", "limit")
        return [{key: answer[f"{number} {key}"] for key in keys} for answer in answers for number in range(len(rules))]

    return about


@pytest.fixture(scope="session")
def decide(ask):
    """`decide(recipe, column=value, …)`: the recipe's rule that drops a file with these columns, others null."""

    def about(recipe, **columns):
        rules = list(recipe_settings(recipe).rules)
        for rule, found in zip(rules, ask(rules, columns)):
            if found["fires"]:
                return SimpleNamespace(rule=rule.name, value=found["value"], limit=found["limit"])
        return SimpleNamespace(rule=None, value=None, limit=None)

    return about


def _numbered():
    return pa.schema([("row", pa.int64()), *SCHEMA])

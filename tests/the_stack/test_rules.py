"""Rules: what is refused, what an unknown value does, and which value and limit are told."""

import re

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.stages import recipe_names, recipe_settings
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.rules import Rule, check, compile_rule, merged
from starloom.the_stack.signal import all_signals
from the_stack.conftest import SCHEMA

# (condition, what the message must show)
REFUSED = [
    ("", "not one condition"),
    ("num_lines >", "no SQL condition"),
    ("num_lines > 'a", "no SQL condition"),
    ("num_lines > 9) OR (true", "no SQL condition"),
    # more than a condition
    ("1; DROP TABLE ledger", "not one condition"),
    ("num_lines > 9; DROP TABLE ledger", "not one condition"),
    ("num_lines > 9, max_line_length > 9", "not one condition"),
    ("num_lines > 9 FROM ledger", "not one condition"),
    ("num_lines > 9 LIMIT 1", "not one condition"),
    ("num_lines > 9 UNION SELECT true", "not one condition"),
    ("num_lines > 9 WHERE true", "not one condition"),
    ("DISTINCT is_test", "not one condition"),
    ("num_lines > 9 -- \n; DROP TABLE ledger", "not one condition"),
    ("num_lines > 9 AS x", "Alias"),
    ("*", "Star"),
    # sub-queries, windows, functions
    ("num_lines > (SELECT 1)", "Subquery"),
    ("num_lines IN (SELECT num_lines FROM copies)", "a sub-query"),
    ("EXISTS (SELECT 1)", "function `Exists`"),
    ("num_lines > ALL (SELECT 1)", "All"),
    ("row_number() OVER () > 1", "Window"),
    ("sum(num_lines) > 1", "function `Sum`"),
    ("CAST(num_lines AS BIGINT) > 1", "function `Cast`"),
    ("num_lines::BIGINT > 1", "function `Cast`"),
    ("read_parquet('/etc/passwd')", "READ_PARQUET('/etc/passwd')"),
    ("read_text('/etc/passwd') LIKE '%root%'", "read_text"),
    ("getenv('HOME') = 'x'", "function `getenv`"),
    ("random() < 0.5", "function `Rand`"),
    ("regexp_matches(path, '(a+)+b')", "function `RegexpLike`"),
    ("CASE WHEN is_test THEN true END", "function `Case`"),
    ("COLUMNS('.*') > 1", "function `Columns`"),
    ("current_user = 'x'", "function `CurrentUser`"),
    ("path ~ 'x'", "REGEXP_MATCHES(path, 'x')"),
    ("path || 'x' = 'y'", "path || 'x'"),
    ("num_lines % 2 = 0", "num_lines % 2"),
    ("$1 > num_lines", "Placeholder"),
    ("(1, 2) = (1, 2)", "Tuple"),
    ("path[1] = 'a'", "Bracket"),
    ("num_lines IN ()", "IN needs values"),
    # columns
    ("lines > 3", "'lines > 3' at 'lines': unknown column"),
    ("ledger.num_lines > 3", "ledger.num_lines"),
    ("content LIKE '%password%'", "content"),  # a rule sees columns, never the text
    ("rowid = 1", "unknown column"),
    # values that do not fit: what else would stop the build half-way
    ("num_lines", "'num_lines' is no condition"),
    ("'true'", "is no condition"),
    ("num_lines > 'many'", "'many'"),
    ("num_lines > path", "at 'path' is a text, not a number"),
    ("abs(path) > 1", "at 'path' is a text"),
    ("lower(num_lines) = 'x'", "at 'num_lines' is a number"),
    ("language LIKE 3", "at '3' is a number"),
    ("is_vendor > 3", "at '3' is a number, not a truth value"),
    ("is_test AND num_lines", "at 'num_lines' is a number"),
    ("NOT path", "at 'path' is a text"),
    ("coalesce(num_lines, path) = 3", "at 'path' is a text"),
    ("language IN ('C', 3)", "at '3' is a number"),
    ("num_lines BETWEEN 1 AND 'x'", "is a text, not a number"),
    ("num_lines > 1e400", "too large"),
    ("num_lines * 9223372036854775807 > 1", "too large"),
    # size
    ("(" * 5_000 + "true" + ")" * 5_000, "deep"),
    ("NOT " * 5_000 + "true", "deep"),
    (" OR ".join(["num_lines = 1"] * 1_000), "deep"),
    ("coalesce(" * 20 + "is_test" + ", path)" * 20, "at 'path' is a text"),  # and not after 2^20 steps
]


@pytest.mark.parametrize("key", ["drop", "unless"])
@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[text[:40] or "nothing" for text, _ in REFUSED])
def test_refused(text, words, key):
    if key == "unless" and not text:
        return  # no exemption
    rule = Rule("mine", **({"drop": text} if key == "drop" else {"drop": "true", "unless": text}))
    with pytest.raises(UserError) as caught:
        compile_rule(rule)
    assert words in caught.value.problem
    assert "rule `mine`" in caught.value.problem
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("num_line > 3", "num_lines"),
        ("lang = 'C'", "language"),
        ("license_class = 'x'", "license_type"),
        ("is_vendored", "is_vendor"),
        ("stars > 3", "star_events_count"),
    ],
)
def test_nearest_name(text, meant):
    with pytest.raises(UserError) as caught:
        compile_rule(Rule("mine", text))
    if caught.value.hint.startswith("known here"):
        assert meant in caught.value.hint
    else:
        assert caught.value.hint == f"did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("num_lines > 9 -- is long", [True, False]),
        ("num_lines > 9 /* is long */", [True, False]),
        ("num_lines > 9 -- /* a comment in a comment", [True, False]),  # the engine nests comments
        ("num_lines > 9 -- */ OR true", [True, False]),
        ("num_lines > 9 /* OR true */", [True, False]),
        ("num_lines > 9;", [True, False]),
        ("path = 'it''s -- no comment'", [False, True]),
        ("path <> 'x; DROP TABLE copies'", [False, True]),
    ],
)
def test_comments_and_quotes_do_nothing(ask, text, rows):
    found = ask(Rule("mine", text), {"num_lines": 10}, {"num_lines": 9, "path": "it's -- no comment"})
    assert [row["fires"] for row in found] == rows


def test_a_comment_cannot_reach_into_the_next_rule(workspace, folder):
    """`/*` in a comment, then `*/` in a string of another rule: with comments left in the SQL, that would be code."""
    made = workspace(folder("a", {"x.py": b"print('hello')\n"}), build=False)
    made.configure(
        '[[rules]]\nname = "one"\ndrop = "num_lines > 900 -- /*"\n'
        '[[rules]]\nname = "two"\ndrop = "path = \'*/ true OR 1 = 1 --\'"\n'
    )
    assert made.build().row("a", "x.py")["verdict"] == "kept"


# --- columns -------------------------------------------------------------------------------------------------------


def test_columns_are_those_of_their_signals():
    """Every column that is a signal's is in its schema, of the type that rules take it for."""
    signals = {one.name: one.columns for one in all_signals()}
    asked = 0
    for name, column in COLUMNS.items():
        for table in column.needs:
            assert table in signals or table == "kinds", name
            if column.sql == f"f.{table}.{name}" and table in signals:
                found = signals[table].field(name).type
                expected = {pa.string(): "text", pa.bool_(): "truth value"}.get(found, "number")
                assert column.kind == expected, name
                asked += 1
    assert asked > 30


# --- an unknown value never decides --------------------------------------------------------------------------------

_RULES = [(recipe, rule) for recipe in recipe_names() for rule in recipe_settings(recipe).rules]

# A row that each rule drops: with what every column is.
DROPPED = {
    "license": {"license_type": "non_permissive", "rights": "public"},
    "empty": {"length_bytes": 0},
    "unknown-language": {"language": None},
    "too-many-lines": {"num_lines": 100_001},
    "long-line": {"avg_line_length": 101.0, "max_line_length": 1_001, "language": "C"},
    "very-long-line": {"max_line_length": 100_001},
    "autogenerated": {"is_generated": True},
    "malware": {"malware": "Eicar-Test-Signature"},
    "contaminated": {"benchmark_match": "humaneval HumanEval/0, solution: lines 4 to 9"},
    "few-letters": {"alpha_fraction": 0.1, "language": "C"},
    "vendored": {"is_vendor": True, "rights": "owned"},
    "few-letters-assembly": {"alphanum_fraction": 0.1, "language": "WebAssembly"},
    "excluded-language": {"language": "CSV"},
    "excluded-extension": {"language_extension": "C++:"},
    "encoded-data": {
        **{"encoded_data_longest": 1_025, "encoded_longest": 1_025},
        **{"encoded_data_fraction": 0.51, "encoded_fraction": 0.51},
    },
    "data-lines": {"num_lines": 513, "language": "JSON"},
    "html-text": {"visible_characters": 99, "visible_fraction": 0.19},
    "text-name": {"language": "Text"},
    "not-in-smol": {"language": "Haskell"},
}
TWO_REASONS = ("long-line", "encoded-data", "html-text")  # each of which drops alone


@pytest.mark.parametrize(("recipe", "rule"), _RULES, ids=[f"{recipe}: {rule.name}" for recipe, rule in _RULES])
def test_unknown_never_decides(ask, recipe, rule):
    row = DROPPED[rule.name]  # a new rule of a recipe needs its row here
    read = [name for name in COLUMNS if re.search(rf"\b{name}\b", rule.drop)]
    others = dict.fromkeys(set(COLUMNS) - set(row))
    dropped, nothing, *each = ask(rule, row | others, {}, *({**row, name: None} for name in read))
    assert dropped["fires"] is True
    if rule.name == "unknown-language":  # asks for the unknown by name
        return
    if rule.name == "license" and recipe == "permissive-only":
        row = row | {"license_type": "no_license"}
    assert nothing["fires"] is False
    for name, found in zip(read, each):
        assert found["fires"] is (rule.name in TWO_REASONS), name
    assert all(found["fires"] is not None for found in each)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_unknown(ask, name):
    """Each column by itself, in each form of comparison: null does not fire, nor does it exempt."""
    kind = SCHEMA.field(name).type
    value = "'x'" if kind == pa.string() else "true" if kind == pa.bool_() else "1"
    forms = [f"{name} = {value}", f"{name} <> {value}", f"NOT {name} = {value}", f"{name} IN ({value})"]
    forms += [f"{name} NOT IN ({value})", f"{name} BETWEEN {value} AND {value}"]
    if kind == pa.bool_():
        forms += [name, f"NOT {name}"]
    for form, found in zip(forms, ask([Rule("mine", form) for form in forms], {})):
        assert found == {"fires": False, "value": None, "limit": None}, form
    for form, found in zip(forms, ask([Rule("mine", "true", unless=form) for form in forms], {})):
        assert found["fires"] is True, form


@pytest.mark.parametrize(
    "text", ["length_bytes / num_lines > 1", "length_bytes / num_lines < 1", "NOT length_bytes / num_lines > 1"]
)
@pytest.mark.parametrize("row", [{"length_bytes": 0, "num_lines": 0}, {"length_bytes": 5, "num_lines": 0}])
def test_division_by_zero_is_unknown(ask, text, row):
    assert ask(Rule("mine", text), row)[0]["fires"] is False  # the engine's NaN is above every number


def test_arithmetic_does_not_overflow(ask):
    text = "length_bytes * length_bytes * length_bytes > 1 AND abs(-length_bytes) > 1"
    assert ask(Rule("mine", text), {"length_bytes": 2**62})[0]["fires"] is True


# --- value and limit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drop", "row", "value", "limit"),
    [
        ("malware IS NOT NULL", {"malware": "Eicar"}, "Eicar", "malware IS NOT NULL"),
        ("num_lines > 9", {"num_lines": 10}, "10", "num_lines > 9"),
        # OR: the first that was true
        ("num_lines > 9 OR characters > 5", {"num_lines": 10, "characters": 6}, "10", "num_lines > 9"),
        ("num_lines > 9 OR characters > 5", {"num_lines": 9, "characters": 6}, "6", "characters > 5"),
        ("num_lines > 9 OR characters > 5", {"characters": 6}, "6", "characters > 5"),
        ("(num_lines > 9 OR (characters > 5 OR is_test))", {"is_test": True}, "true", "is_test"),
        # AND: its first comparison
        ("num_lines > 9 AND language = 'C'", {"num_lines": 10, "language": "C"}, "10", "num_lines > 9"),
        ("is_test AND num_lines > 9", {"num_lines": 10, "is_test": True}, "10", "num_lines > 9"),
        # lists, truth values, text
        ("language IN ('C', 'D')", {"language": "D"}, "D", "language IN ('C', 'D')"),
        ("language NOT IN ('C', 'D')", {"language": "E"}, "E", "NOT language IN ('C', 'D')"),
        ("is_vendor", {"is_vendor": True}, "true", "is_vendor"),
        ("NOT is_vendor", {"is_vendor": False}, "false", "NOT is_vendor"),
        ("is_vendor = true", {"is_vendor": True}, "true", "is_vendor = TRUE"),
        ("language IS NULL", {}, None, "language IS NULL"),
        ("path LIKE 'it''s %'", {"path": "it's it"}, "it's it", "path LIKE 'it''s %'"),
        ("num_lines BETWEEN 3 AND 4", {"num_lines": 4}, "4", "num_lines BETWEEN 3 AND 4"),
        ("9 < num_lines", {"num_lines": 10}, "10", "9 < num_lines"),
        ("length_bytes / num_lines > 2", {"length_bytes": 9, "num_lines": 2}, "4.5", "length_bytes / num_lines > 2"),
        ("length(path) > 2", {"path": "abc"}, "3", "LENGTH(path) > 2"),
        ("starts_with(path, 'a/')", {"path": "a/b"}, "a/b", "STARTS_WITH(path, 'a/')"),
        ("true", {}, None, "TRUE"),
    ],
)
def test_value_and_limit(ask, drop, row, value, limit):
    assert ask(Rule("mine", drop), row) == [{"fires": True, "value": value, "limit": limit}]


def test_long_limits_are_cut(ask):
    names = ", ".join(f"'language {number}'" for number in range(30))
    (found,) = ask(Rule("mine", f"language NOT IN ({names})"), {"language": "C"})
    assert len(found["limit"]) == 78
    assert found["limit"].endswith("…")


# --- recipes and workspaces ----------------------------------------------------------------------------------------


def test_own_rules_over_the_recipe():
    recipe = (Rule("a", "is_test"), Rule("b", "is_vendor"))
    own = (Rule("c", "is_generated"), Rule("b", "false"))
    assert merged(recipe, own) == (Rule("c", "is_generated"), Rule("a", "is_test"), Rule("b", "false"))


def test_a_name_twice():
    with pytest.raises(UserError, match="rule `a` stands there twice"):
        check((Rule("a", "is_test"), Rule("a", "is_vendor")))


@pytest.mark.parametrize("recipe", recipe_names())
def test_every_rule_names_its_source(recipe):
    assert all(rule.source for rule in recipe_settings(recipe).rules)


# --- allowed conditions compile, and mean what plain DuckDB says ---------------------------------------------------

_NUMBERS = [name for name in COLUMNS if SCHEMA.field(name).type not in (pa.string(), pa.bool_())]
_WORDS = [name for name in COLUMNS if SCHEMA.field(name).type == pa.string()]
_TRUTHS = [name for name in COLUMNS if SCHEMA.field(name).type == pa.bool_()]
_WORD = st.sampled_from(["''", "'C'", "'it''s'", "'%a_'", "'-- x'", "'/*'", "lower('É')"])

_number = st.recursive(
    st.sampled_from(_NUMBERS) | st.integers(-3, 1000).map(str) | st.sampled_from(["0.25", "1e3"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda x: f"({x[0]} {x[1]} {x[2]})")
        | inner.map(lambda x: f"abs({x})")
        | st.sampled_from(_WORDS).map(lambda x: f"length({x})")
        | st.tuples(inner, inner).map(lambda x: f"coalesce({x[0]}, {x[1]})")
    ),
    max_leaves=4,
)
_text = st.sampled_from(_WORDS) | _WORD | st.sampled_from(_WORDS).map(lambda x: f"upper({x})")
_compared = (
    st.tuples(_number, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), _number).map(" ".join)
    | st.tuples(_text, st.sampled_from(["=", "<>", "LIKE", "<"]), _text).map(" ".join)
    | st.tuples(_text, st.sampled_from(["IN", "NOT IN"]), st.lists(_WORD, min_size=1, max_size=3)).map(
        lambda x: f"{x[0]} {x[1]} ({', '.join(x[2])})"
    )
    | st.tuples(_number, _number, _number).map(lambda x: f"{x[0]} BETWEEN {x[1]} AND {x[2]}")
    | st.tuples(st.sampled_from([*_NUMBERS, *_WORDS, *_TRUTHS]), st.sampled_from(["IS NULL", "IS NOT NULL"])).map(
        " ".join
    )
    | st.tuples(_text, _WORD).map(lambda x: f"contains({x[0]}, {x[1]})")
    | st.sampled_from(_TRUTHS)
)
_condition = st.recursive(
    _compared,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda x: f"({x[0]} {x[1]} {x[2]})")
        | inner.map(lambda x: f"NOT ({x})")
    ),
    max_leaves=5,
)
_ROWS = [
    {},
    dict.fromkeys(_NUMBERS, 0) | dict.fromkeys(_WORDS, "") | dict.fromkeys(_TRUTHS, False),
    {name: number for number, name in enumerate(_NUMBERS)} | dict.fromkeys(_WORDS, "C") | dict.fromkeys(_TRUTHS, True),
    {name: 0.25 if name.endswith("fraction") else 999 for name in _NUMBERS} | dict.fromkeys(_WORDS[::2], "it's Aß"),
    {"num_lines": 7, "path": "-- x", "is_test": True, "language": "/*"},
]


@pytest.fixture(scope="module")
def plain():
    connection = duckdb.connect()
    connection.register("given", pa.Table.from_pylist(_ROWS, SCHEMA))
    connection.execute("CREATE TABLE t AS SELECT * FROM given")
    connection.unregister("given")
    yield connection
    connection.close()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drop=_condition, unless=st.just("") | _condition)
def test_means_what_plain_sql_means(plain, drop, unless):
    compiled = compile_rule(Rule("mine", drop, unless))
    exempt = f"AND NOT coalesce(({unless}), false)" if unless else ""
    found = plain.sql(f"SELECT {compiled.fires}, {compiled.value}, {compiled.limit} FROM t").fetchall()
    # Integers of the fewest bits overflow in plain SQL: there the reference reckons in doubles as well.
    for name in _NUMBERS:
        drop, exempt = (re.sub(rf"\b{name}\b", f"CAST({name} AS DOUBLE)", text) for text in (drop, exempt))
    expected = plain.sql(f"SELECT coalesce(({drop}), false) {exempt} FROM t").fetchall()
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert all(row[2] is not None for row in found if row[0])  # whatever fires names its limit

"""Where files lie around a limit: counted in SQL, held against the files counted by hand and decided anew."""

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest

from starloom.stages import load_settings
from starloom.the_stack import thresholds
from starloom.the_stack.decide import decided
from starloom.the_stack.ledger_query import answer
from starloom.the_stack.rules import Rule
from starloom.workspace.run import engine
from the_stack import building

COLUMNS = "num_lines, max_line_length, avg_line_length, alpha_fraction, star_events_count"


def _file(seed, lines, width):
    """Words that no other file has, `lines` lines, the longest `width` characters."""
    dice = random.Random(f"thresholds {seed}")
    words = [
        "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789_ ", k=dice.randint(3, width))) for _ in range(lines)
    ]
    words[0] = "x" * width
    return ("\n".join(words) + "\n").encode()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Forty files of other sizes, no two alike; some are dropped by rules besides that which is looked at."""
    base = tmp_path_factory.mktemp("thresholds")
    dice = random.Random(7)
    files = {"LICENSE": building.MIT, "empty.py": b"", "binary.py": b"\0\1\2" * 99}
    for number in range(40):
        name = f"{'other_' if number % 10 == 9 else ''}{number}.{'json' if number % 7 == 0 else 'py'}"
        files[name] = _file(number, dice.randint(1, 80), dice.randint(4, 90))
    files["fifty.py"] = _file("fifty", 50, 20)  # at the limit of some rules
    files["copy.py"] = files["3.py"]
    recipe = """
[[rules]]
name = "other"
drop = "starts_with(file_name, 'other')"
[[rules]]
name = "empty"
drop = "length_bytes = 0"
"""
    building.put(base / "w", {"of-this-test.toml": recipe.encode()})
    return building.Workspace(base / "w", building.folder(base / "code", files), recipe="of-this-test.toml").build()


@pytest.fixture(scope="module")
def local(workspace):
    with engine(workspace.root, load_settings(workspace.root).engine) as found:
        yield found


@pytest.fixture(scope="module")
def build_with(workspace):
    """`build_with(rule)`: the workspace, decided with this rule too."""
    plain = workspace.settings_file.read_text()

    def build(rule):
        text = f'{plain}\n[[rules]]\nname = "{rule.name}"\ndrop = """{rule.drop}"""\nunless = """{rule.unless}"""\n'
        workspace.settings_file.write_text(text)
        workspace.build("decide")
        return workspace

    yield build
    workspace.settings_file.write_text(plain)


# (drop, unless, which comparison, its limit, the left side and what drops in Python, limits to try)
RULES = [
    ("num_lines > 50", "", 0, 50, lambda r: r.num_lines, lambda r, t: r.num_lines > t, [0, 10, 49, 50, 51, 79, 1000]),
    ("50 < num_lines", "", 0, 50, lambda r: r.num_lines, lambda r, t: r.num_lines > t, [10, 50, 60]),
    ("num_lines >= 50", "", 0, 50, lambda r: r.num_lines, lambda r, t: r.num_lines >= t, [49, 50, 51]),
    ("num_lines < 20", "", 0, 20, lambda r: r.num_lines, lambda r, t: r.num_lines < t, [0, 19, 20, 21, 81]),
    ("num_lines <= 20", "", 0, 20, lambda r: r.num_lines, lambda r, t: r.num_lines <= t, [0, 19, 20, 21, 81]),
    ("NOT num_lines <= 50", "", 0, 50, lambda r: r.num_lines, lambda r, t: r.num_lines > t, [20, 50, 60]),
    ("NOT (NOT (num_lines > 50))", "", 0, 50, lambda r: r.num_lines, lambda r, t: r.num_lines > t, [20, 50, 60]),
    (
        *("num_lines > 50 OR max_line_length > 60", "", 0, 50, lambda r: r.num_lines),
        *(lambda r, t: r.num_lines > t or r.max_line_length > 60, [5, 50, 70]),
    ),
    (
        *("num_lines > 50 OR max_line_length > 60", "", 1, 60, lambda r: r.max_line_length),
        *(lambda r, t: r.num_lines > 50 or r.max_line_length > t, [5, 60, 70]),
    ),
    (
        *("num_lines > 20 AND max_line_length < 40", "", 1, 40, lambda r: r.max_line_length),
        *(lambda r, t: r.num_lines > 20 and r.max_line_length < t, [5, 40, 70]),
    ),
    (
        *("num_lines > 30", "language = 'JSON'", 0, 30, lambda r: r.num_lines),
        *(lambda r, t: r.num_lines > t and r.language != "JSON", [10, 30, 70]),
    ),
    (
        *("num_lines * 2 + 1 > 100.5", "", 0, 100.5, lambda r: r.num_lines * 2 + 1),
        *(lambda r, t: r.num_lines * 2 + 1 > t, [50, 100.5, 120.25]),
    ),
    (
        *("num_lines - max_line_length > 0", "", 0, 0, lambda r: r.num_lines - r.max_line_length),
        *(lambda r, t: r.num_lines - r.max_line_length > t, [-20, -0.5, 0, 20]),
    ),
    (
        *("alpha_fraction < 0.625", "", 0, 0.625, lambda r: r.alpha_fraction),
        *(lambda r, t: r.alpha_fraction < t, [0.1, 0.5, 0.625, 1]),
    ),
    (
        *("coalesce(star_events_count, 3) < 1", "", 0, 1, lambda r: 3),
        *(lambda r, t: t > 3, [1, 3, 4]),
    ),
    (
        *("(num_lines > 5) > (max_line_length > 60) OR avg_line_length > 30", "", 2, 30, lambda r: r.avg_line_length),
        *(lambda r, t: (r.num_lines > 5 and not r.max_line_length > 60) or r.avg_line_length > t, [5, 20, 60]),
    ),
    (
        *("num_lines IN (3, 4) OR num_lines BETWEEN 60 AND 70 OR num_lines > 75", "", 0, 75, lambda r: r.num_lines),
        *(lambda r, t: r.num_lines in (3, 4) or 60 <= r.num_lines <= 70 or r.num_lines > t, [40, 75]),
    ),
]


@pytest.fixture(scope="module")
def kept(workspace, local):
    """{(repository, path): what is measured of it} of the dataset, whose rules know nothing of those tried here."""
    sql = (
        f"SELECT repo_name, path, language, length_bytes, {COLUMNS} FROM measured WHERE verdict IN ('kept', 'changed')"
    )
    with answer(workspace.root, local, sql) as rows:
        return {(row["repo_name"], row["path"]): SimpleNamespace(**row) for row in rows.read_all().to_pylist()}


@pytest.mark.parametrize(
    ("drop", "unless", "number", "limit", "left", "drops", "limits"), RULES, ids=[f"{one[0]} {one[2]}" for one in RULES]
)
def test_a_rule_of_any_form(workspace, local, kept, drop, unless, number, limit, left, drops, limits):
    rule = Rule("tuned", drop, unless)
    for found in thresholds.kept_at(workspace.root, local, rule, limits, number):
        stays = [row for row in kept.values() if not drops(row, found.limit)]
        assert (found.files, found.bytes) == (len(stays), sum(row.length_bytes for row in stays))

    moving = {key: left(row) for key, row in kept.items() if drops(row, -1e9) != drops(row, 1e9)}
    goes = {key for key in moving if drops(kept[key], limit)}
    assert moving
    found = thresholds.distribution(workspace.root, local, rule, number, bins=7)
    assert (found.limit, found.unknown) == (limit, 0)
    assert (sum(found.dropped), sum(found.kept)) == (len(goes), len(moving) - len(goes))
    assert list(found.edges) == sorted(set(found.edges))
    assert limit in found.edges
    assert found.edges[0] <= min(moving.values())
    assert found.edges[-1] >= max(moving.values())
    last = len(found.edges) - 2
    for k, (low, high) in enumerate(zip(found.edges, found.edges[1:], strict=False)):
        if found.operator in (">", "<="):  # closed to the right, so that the limit parts the sides
            here = {key for key, value in moving.items() if low < value <= high or (k == 0 and value == low)}
        else:
            here = {key for key, value in moving.items() if low <= value < high or (k == last and value == high)}
        assert (found.dropped[k], found.kept[k]) == (len(here & goes), len(here - goes))
        assert not (found.dropped[k] and found.kept[k])

    for side, keys in zip(
        thresholds.nearest(workspace.root, local, rule, 4, number), (goes, moving.keys() - goes), strict=True
    ):
        wanted = sorted((abs(moving[key] - limit), *key) for key in keys)[:4]
        assert [(abs(one.value - limit), one.repo_name, one.path) for one in side] == wanted
        assert [one.content_id for one in side] == [
            workspace.row(one.repo_name, one.path)["content_id"] for one in side
        ]


def _stays(ledger):
    return [row for row in ledger.to_pylist() if row["verdict"] in ("kept", "changed")]


@pytest.mark.parametrize(
    ("drop", "number"),
    [
        ("num_lines > 50 OR max_line_length > 60", 1),
        ("NOT (alpha_fraction >= 0.6)", 0),
        ("starts_with(file_name, '3') AND num_lines > 0", 0),  # of two copies that which is kept
    ],
)
def test_a_rule_of_the_ledger_against_deciding_anew(build_with, local, drop, number):
    rule = Rule("tuned", drop)
    workspace = build_with(rule)
    settings = load_settings(workspace.root)
    limits = (0.65, 40.0)
    for found in thresholds.kept_at(workspace.root, local, rule, limits, number):
        other = thresholds.moved(rule, found.limit, number)
        rules = tuple(other if one.name == "tuned" else one for one in settings.rules)
        stays = _stays(decided(workspace.root, local, replace(settings, rules=rules)))
        assert (found.files, found.bytes) == (len(stays), sum(row["length_bytes"] for row in stays))
    found = thresholds.distribution(workspace.root, local, rule, number)
    assert sum(found.dropped) > 0


def test_what_drops_a_file_elsewhere_is_not_counted(build_with, local):
    rule = Rule("tuned", "num_lines > 0")
    workspace = build_with(rule)
    dropped, kept = thresholds.nearest(workspace.root, local, rule, 99)
    paths = [one.path for one in dropped]
    assert kept == ()
    assert "0.json" in paths
    assert not [path for path in paths if path.startswith("other")]
    assert not {"empty.py", "binary.py"} & set(paths)
    assert len({"3.py", "copy.py"} & set(paths)) == 1  # one of two copies


def test_a_rule_without_a_number(workspace, local):
    rule = Rule("tuned", "is_generated OR language = 'Lua'")
    assert thresholds.distribution(workspace.root, local, rule) is None
    assert thresholds.nearest(workspace.root, local, rule, 3) == ((), ())
    with pytest.raises(thresholds.UserError, match="compares no number"):
        thresholds.kept_at(workspace.root, local, rule, [3])


def test_nothing_measured(workspace, local):
    found = thresholds.distribution(workspace.root, local, Rule("tuned", "star_events_count > 5"))
    assert (found.edges, found.dropped, found.kept) == ((), (), ())
    assert found.unknown > 30
    assert thresholds.proposals(found) == (5.0,)


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        ("num_lines > 50", "(num_lines > 7)"),
        ("50 < num_lines", "(num_lines > 7)"),
        ("NOT num_lines <= 50 OR is_test", "NOT (num_lines <= 7) OR is_test"),
        ("num_lines - 1 > 50", "(num_lines - 1 > 7)"),
    ],
)
def test_moved(drop, words):
    assert thresholds.moved(Rule("r", drop, "is_test", "us"), 7.0) == Rule("r", words, "is_test", "us")


@pytest.mark.parametrize(
    ("low", "high", "limit", "wanted"),
    [
        (0, 1, 0.25, (0.025, 0.062, 0.12, 0.19, 0.23, 0.25, 0.28, 0.31, 0.38, 0.5, 1.0)),
        (3, 5000, 1000, (100, 250, 500, 750, 900, 1000, 1100, 1250, 1500, 2000, 4000)),
        (990, 1010, 1000, (1000,)),
        (0, 2, 0, (0, 1, 2)),
    ],
)
def test_proposals(low, high, limit, wanted):
    edges = tuple(sorted({float(low), float(limit), float(high), *([1.0] if high == 2 else [])}))
    shape = thresholds.Distribution("c", ">", float(limit), "c", edges, (1,), (1,), 0)
    assert thresholds.proposals(shape) == wanted

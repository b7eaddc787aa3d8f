"""Settings of a workspace: recipe, then starloom.toml over it; what is refused, and with which words."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from starloom.errors import UserError
from starloom.privacy.replace import SourceRedaction
from starloom.stages import (
    SETTINGS_FILE,
    Settings,
    all_stages,
    initialise,
    load_settings,
    made_stages,
    read_recipe,
    recipe_names,
    recipe_settings,
)
from starloom.workspace.manifest import made_by


def test_what_is_damaged_is_made_again_by_the_command_that_makes_it():
    assert {made_by(Path(stage.folder)) for stage in all_stages()} == {"starloom build"}
    assert {stage.name: made_by(Path(stage.folder)) for stage in made_stages()} == {
        "report": "starloom report",
        "tokenizer": "starloom tokenizer",
        "pack": "starloom pack",
        "search": "starloom index search",
        "membership": "starloom index membership",
    }


@pytest.fixture
def root(tmp_path):
    (tmp_path / "source").mkdir()
    initialise(tmp_path / "w", (str(tmp_path / "source"),), "small", "public")
    return tmp_path / "w"


def write(root, toml):
    with (root / SETTINGS_FILE).open("a") as file:
        file.write("\n" + toml)
    return root


def test_the_stages_in_order():
    stages = all_stages()
    assert [stage.name for stage in stages] == ["list", "read", "measure", "pair", "decide", "write", "collect"]
    made = set()
    for stage in stages:
        assert {name.split("/")[0] for name in stage.reads} <= made
        made.add(stage.folder)


@pytest.mark.parametrize("name", recipe_names())
def test_a_shipped_recipe_is_complete(name):
    settings = recipe_settings(name)
    assert settings.title
    assert settings.rules
    assert 0.6 <= settings.pair.floor <= settings.decide.near_duplicates
    table, where = read_recipe(name, None)
    assert where == f"recipe {name}"
    assert not {"recipe", "sources", "engine"} & set(table)


def test_the_default_recipe_is_small(root):
    (root / SETTINGS_FILE).write_text("")
    settings = load_settings(root)
    assert settings.recipe == "small" == Settings().recipe
    assert settings.rules == recipe_settings("small").rules


def test_initialise_writes_what_it_was_told(root, tmp_path):
    settings = load_settings(root)
    assert [(one.path, one.rights) for one in settings.sources] == [(str(tmp_path / "source"), "public")]
    text = (root / SETTINGS_FILE).read_text()
    assert tomllib.loads(text)["recipe"] == "small"
    uncommented = "\n".join(
        line.removeprefix("# ") for line in text.splitlines() if line.startswith(("# [", "# n", "# h"))
    )
    assert "near_duplicates" in uncommented


@pytest.mark.parametrize("name", ['quo"te', "back\\slash", "umläut", "new\nline", "tab\t", "'single'"])
def test_initialise_with_an_odd_folder(tmp_path, name):
    (tmp_path / name).mkdir()
    initialise(tmp_path / "w", (str(tmp_path / name),), "small", "public")
    assert load_settings(tmp_path / "w").sources[0].path == str(tmp_path / name)


def test_initialise_refuses_and_leaves_nothing(tmp_path, root):
    for arguments, words in [
        ((root, (str(tmp_path),), "small", "public"), "exists already"),
        ((tmp_path / "n", (str(tmp_path / "nowhere"),), "small", "public"), "does not exist"),
        ((tmp_path / "n", (str(tmp_path),), "smal", "public"), "recipe `smal` is not known"),
        ((tmp_path / "n", (str(tmp_path),), "small", "mine"), "rights `mine` are not known"),
    ]:
        with pytest.raises(UserError, match=words) as caught:
            initialise(*arguments)
        assert caught.value.hint
    assert not (tmp_path / "n").exists()


def test_sections_stand_over_the_recipe_key_by_key(root):
    settings = load_settings(write(root, "[decide]\nnear_duplicates = 0.8\n"))
    assert settings.decide.near_duplicates == 0.8
    assert settings.decide.held_out == recipe_settings("small").decide.held_out
    assert settings.list == recipe_settings("small").list


def test_tables_in_sections_stand_over_the_recipe_key_by_key_too(root):
    (root / "mine.toml").write_text(
        'extends = "stack-v2"\n[redact]\nkey = "0123456789abcdef"\n[redact.source]\nreplace = "synthetic"\n'
    )
    (root / "starloom.toml").write_text(
        'recipe = "mine.toml"\n[redact.source]\nkinds = ["KEY"]\n'
        '[[documents.notebook_scripts.rules]]\nname = "short"\ndrop = "num_lines < 3"\n'
    )
    settings = load_settings(root)
    assert settings.redact.source == SourceRedaction(("KEY",), "synthetic")
    assert [rule.name for rule in settings.documents.notebook_scripts.rules] == ["short"]
    assert "malware" in settings.documents.notebook_scripts.steps  # of the recipe, which writes it with a hyphen


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[engine]\nworkers = -1\n", "workers = -1 is out of range"),
        ('[engine]\nmemory = "much"\n', "memory = 'much' is no amount"),
        ("[list]\nsample_bytes = -1\n", "sample_bytes = -1 is out of range"),
        ("[syntax]\nmax_bytes = 0\n", "max_bytes = 0 is out of range"),
        ("[finetune]\nsteps = -1\n", "steps = -1 is out of range"),
        ("[membership]\nshards = -1\n", "shards = -1 is not between"),
    ],
)
def test_numbers_out_of_range(root, toml, words):
    with pytest.raises(UserError, match=words):
        load_settings(write(root, toml))


def test_rules_stand_over_the_recipe_by_name(root):
    rules = '[[rules]]\nname = "mine"\ndrop = "is_test"\n[[rules]]\nname = "long-line"\ndrop = "false"\n'
    found = load_settings(write(root, rules)).rules
    recipe = recipe_settings("small").rules
    assert [rule.name for rule in found] == ["mine", *(rule.name for rule in recipe)]
    assert next(rule for rule in found if rule.name == "long-line").drop == "false"


def test_a_recipe_of_ones_own(root):
    (root / "mine.toml").write_text('extends = "stack-v2"\n[decide]\nheld_out = 0.5\n')
    settings = load_settings(root / "." if (root / SETTINGS_FILE).write_text('recipe = "mine.toml"\n') else root)
    assert settings.decide.held_out == 0.5
    assert settings.rules == recipe_settings("stack-v2").rules


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ('recipe = "small"\n', "`recipe` has no place in a recipe"),
        ("[engine]\nworkers = 1\n", "`engine` has no place in a recipe"),
        ('[[sources]]\npath = "x"\n', "`sources` has no place in a recipe"),
        ('extends = "mine.toml"\n', "it extends itself"),
        ('extends = "nothing"\n', "recipe `nothing` is not known"),
        ("[decode]\n", "unknown key `decode`"),
    ],
)
def test_a_recipe_that_is_refused(root, recipe, words):
    (root / "mine.toml").write_text(recipe)
    (root / SETTINGS_FILE).write_text('recipe = "mine.toml"\n')
    with pytest.raises(UserError, match=words) as caught:
        load_settings(root)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("toml", "words", "hint"),
    [
        ("[decide]\nnear_duplicate = 0.7\n", "unknown key `near_duplicate`", "did you mean `near_duplicates`?"),
        ("[decode]\n", "unknown key `decode`", "did you mean `decide`?"),
        ("[decide]\nnear_duplicates = 7\n", "near_duplicates = 7", "0 to 1"),
        ("[decide]\nheld_out = 1\n", "held_out = 1", "0 to less than 1"),
        ("[decide]\nnear_duplicates = 'much'\n", "near_duplicates", "mend"),
        ("[decide]\nnear_duplicates = 0.5\n", "below [pair] floor", "lower the floor to 0.5"),
        ("[decide]\nnear_duplicates = nan\n", "not a finite number", "mend"),
        ("[decide\n", "Expected ']'", "TOML"),
        ("[list]\nmax_bytes = 0\n", "max_bytes = 0", "1 to"),
        ("[list]\nmax_bytes = 1e6\n", "not a whole number", "mend"),
        ("[pair]\nfloor = 0\n", "floor = 0", "above 0"),
        ("[[rules]]\nname = 'x'\ndrop = 'lines > 3'\n", "rule `x`", "did you mean `num_lines`?"),
        ("[[rules]]\nname = 'x'\ndrop = \"num_lines > 'a'\"\n", "is a text, not a number", "mend"),
        ("[[rules]]\nname = 'x'\n", "key `drop` is missing", "drop"),
        ("[[rules]]\nname = 'x'\ndrop = 'true'\nonly = 'x'\n", "unknown key `only`", ""),
        ("[[rules]]\nname = 'x'\ndrop = 'true'\n" * 2, "stands there twice", "a name of its own"),
        ("extends = 'small'\n", "`extends` belongs in a recipe", 'recipe = "small"'),
    ],
)
def test_what_starloom_toml_must_not_say(root, toml, words, hint):
    (root / SETTINGS_FILE).write_text(toml)
    with pytest.raises(UserError) as caught:
        load_settings(root)
    assert words in caught.value.problem
    assert hint in caught.value.hint


def test_no_settings_file(tmp_path):
    with pytest.raises(UserError, match="does not exist") as caught:
        load_settings(tmp_path)
    assert "starloom init" in caught.value.hint


def test_near_duplicates_switched_off_need_no_floor(root):
    assert load_settings(write(root, "[decide]\nnear_duplicates = 0\n")).decide.near_duplicates == 0.0


def test_the_data_half_loads_nothing_of_the_rest():
    """What `build`, `status` and `why` import: no PyTorch, no tokenizer, no index, no server."""
    script = (
        "import sys\nfrom starloom.stages import all_stages, made_stages\nfrom starloom.the_stack import why\n"
        "all_stages(), made_stages()\nprint(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "transformers", "tokenizers", "tantivy", "fastapi"}


def test_a_plain_folder_is_no_workspace_for_itself(tmp_path):
    with pytest.raises(UserError, match="its own output would be read as code"):
        initialise(tmp_path, (str(tmp_path),), "small", "public")
    assert list(tmp_path.iterdir()) == []


def test_a_rule_on_what_is_not_measured_is_refused(tmp_path):
    rule = '[[rules]]\nname = "broken"\ndrop = "parse_error_fraction > 0.5"\n'
    (tmp_path / SETTINGS_FILE).write_text(rule)
    with pytest.raises(UserError, match=r"rule `broken` asks for parse_error_fraction.*\[syntax\] is off"):
        load_settings(tmp_path)
    (tmp_path / SETTINGS_FILE).write_text(f"{rule}\n[syntax]\nenabled = true\n")
    assert load_settings(tmp_path).rules[0].name == "broken"

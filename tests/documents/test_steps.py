"""Table 3 as data: which orders there can be, and what steps mean."""

import pytest

from starloom.documents.steps import RULES, check_order, kind_of, of_kind, of_source
from starloom.errors import UserError
from starloom.stages import initialise, load_settings, recipe_settings

ALL = ("opt-outs", "licenses", "malware", "decontamination", "exact-duplicates", "near-duplicates", "personal-data")


@pytest.fixture
def settings(tmp_path):
    def make(toml, recipe="stack-v2"):
        (tmp_path / "source").mkdir(exist_ok=True)
        initialise(tmp_path / "w", (str(tmp_path / "source"),), recipe, "public", extra=toml)
        return load_settings(tmp_path / "w")

    return make


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (("opt-out",), "not known"),
        (("opt-outs", "opt-outs", "exact-duplicates"), "twice"),
        (("exact-duplicates",), "'opt-outs' is missing"),
        (("opt-outs",), "'exact-duplicates' is missing"),
        (("opt-outs", "exact-duplicates", "malware"), "'malware' cannot come after 'exact-duplicates'"),
        (("exact-duplicates", "opt-outs"), "'opt-outs' cannot come after"),
        (("opt-outs", "near-duplicates", "exact-duplicates"), "'exact-duplicates' cannot come after"),
        (("opt-outs", "personal-data", "exact-duplicates"), "cannot come after 'personal-data'"),
    ],
)
def test_orders_that_cannot_be(steps, words):
    with pytest.raises(UserError, match=words) as caught:
        check_order(steps)
    assert caught.value.hint


@pytest.mark.parametrize(
    "steps", [(), ALL, ("opt-outs", "exact-duplicates"), ("opt-outs", "malware", "licenses", *ALL[4:])]
)
def test_orders_that_can_be(steps):
    check_order(steps)


def test_the_recipes_rows_change_nothing_of_source_files(settings):
    assert settings("").rules == recipe_settings("stack-v2").rules


def test_the_order_of_rules_is_that_of_the_steps(settings):
    found = settings(f"[documents.source]\nsteps = {[ALL[0], *ALL[3:0:-1], *ALL[4:]]}\n")
    assert [rule.name for rule in found.rules][:4] == ["contaminated", "malware", "license", "unknown-language"]


def test_steps_that_are_left_out(settings):
    found = settings("[documents.source]\nsteps = ['opt-outs', 'exact-duplicates']\n")
    assert not {rule.name for rule in found.rules} & set(RULES.values())
    assert found.decide.near_duplicates == 0
    assert found.redact.source.replaces == ()
    assert of_source(found) == found


def test_a_kind_has_its_own_row(settings):
    rule = "{name = 'short', drop = 'num_lines < 3'}"
    found = settings(
        f"[documents.notebook-scripts]\nsteps = ['opt-outs', 'malware', 'exact-duplicates']\nrules = [{rule}]\n"
    )
    scripts, structured = of_kind(found, "notebook-scripts"), of_kind(found, "notebook-structured")
    assert [one.name for one in scripts.rules] == ["malware", "short"]
    assert scripts.decide.near_duplicates == 0
    assert [one.name for one in structured.rules] == ["license", "malware", "contaminated"]
    assert structured.decide == found.decide
    assert not structured.budgets


def test_a_step_whose_rule_the_recipe_lacks(settings, tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "mine.toml").write_text(
        "[documents.source]\nsteps = ['opt-outs', 'malware', 'exact-duplicates']\n"
    )
    with pytest.raises(UserError, match="needs the rule 'malware'"):
        settings("", "mine.toml")


def test_the_folder_of_a_kind(tmp_path):
    assert kind_of(tmp_path / "documents" / "notebook-scripts") == "notebook-scripts"
    assert kind_of(tmp_path / "documents" / "notes") is None
    assert kind_of(tmp_path / "notebook-scripts") is None

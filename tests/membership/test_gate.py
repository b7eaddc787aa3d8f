"""The gate: which matches fail, and which are let through."""

import pytest

from membership.told import answer, file, match
from starloom.errors import UserError
from starloom.membership.answers import Answer
from starloom.membership.gate import Gate, judge
from starloom.membership.given import Given

GPL = file("gnu", license="GPL-3.0-only")
MIT = file("one", license="MIT")
NONE = file("nobody", license="")


@pytest.mark.parametrize(
    ("options", "found", "failed"),
    [
        ({"fail_on": ("copyleft",)}, [match(GPL)], True),
        ({"fail_on": ("copyleft",)}, [match(MIT)], False),
        ({"fail_on": ("copyleft",)}, [match(MIT, GPL)], True),  # one file is enough
        ({"fail_on": ("copyleft",), "unless_permissive": True}, [match(MIT, GPL)], False),
        ({"fail_on": ("copyleft",), "unless_permissive": True}, [match(NONE, GPL)], True),
        ({"fail_on": ("unlicensed",)}, [match(NONE)], True),
        ({"fail_on": ("copyleft", "unlicensed")}, [match(NONE)], True),
        ({"fail_on": ("any",)}, [match(MIT)], True),
        ({"fail_on": ("any",)}, [], False),
        ({"fail_on": ("copyleft",)}, [match(GPL, characters=98)], False),
        ({"fail_on": ("copyleft",)}, [match(GPL, characters=99)], True),
        ({"fail_on": ("copyleft",), "min_characters": 50}, [match(GPL, characters=50)], True),
        ({"fail_on": ("copyleft",), "min_lines": 10}, [match(GPL)], False),
        ({"fail_on": ("copyleft",), "min_lines": 9}, [match(GPL)], True),
        ({"fail_on": ("copyleft",), "min_coverage": 0.2}, [match(GPL, end=199)], False),
        ({"fail_on": ("copyleft",), "min_coverage": 0.2}, [match(GPL, end=200)], True),
        ({"fail_on": ("copyleft",), "min_coverage": 0.3}, [match(GPL), match(GPL, start=100, end=300)], True),
        ({"fail_on": ("copyleft",), "min_coverage": 0.31}, [match(GPL), match(GPL, start=100, end=300)], False),
        ({"fail_on": ("copyleft",)}, [match(GPL, common=True)], False),
        ({"fail_on": ("copyleft",), "common": True}, [match(GPL, common=True)], True),
        ({"fail_on": ("copyleft",), "own": ("GNU",)}, [match(GPL)], False),
        ({"fail_on": ("copyleft",), "own": ("o*",)}, [match(GPL, MIT)], False),  # own code that others took
        ({"fail_on": ("copyleft",), "own": ("g",)}, [match(GPL)], True),
        ({"fail_on": ("copyleft",)}, [match(GPL, kind="renamed")], True),
    ],
)
def test_what_fails(options, found, failed):
    judgement = judge(Gate(**options), [answer(*found)])
    assert judgement.failed is failed
    assert bool(judgement.failures) is failed


def test_what_is_told():
    first, second = answer(match(MIT, GPL, NONE), path="first.py"), answer(match(NONE), path="second.py")
    judgement = judge(Gate(("copyleft", "unlicensed")), [first, second, answer(path="third.py")])
    assert [(one.given.path, one.kinds, one.files) for one in judgement.failures] == [
        ("first.py", ("copyleft", "unlicensed"), [GPL, NONE]),
        ("second.py", ("unlicensed",), [NONE]),
    ]
    assert [licensed.name for licensed in judgement.failures[0].licenses] == ["GPL-3.0-only", "no license"]


def test_licenses_of_files_that_are_not_listed():
    found = match(MIT, GPL)
    unlisted = match(MIT, licenses=found.licenses, total=2)
    (failure,) = judge(Gate(("copyleft",)), [answer(unlisted)]).failures
    assert failure.files == []
    assert [licensed.name for licensed in failure.licenses] == ["GPL-3.0-only"]


def test_a_part_of_the_index_passes_no_gate():
    judgement = judge(Gate(("copyleft",)), [answer(), answer(status="partial")])
    assert (judgement.failures, judgement.partial, judgement.failed) == ([], 1, True)


def test_any_match_without_a_known_file():
    (failure,) = judge(Gate(("any",)), [answer(match())]).failures
    assert (failure.kinds, failure.licenses) == (("any",), [])


def test_what_is_no_text_is_let_through():
    judgement = judge(Gate(("any",)), [Answer(Given("x.png", None, "binary"), None), answer(status="not_covered")])
    assert not judgement.failed


def test_unknown_licences():
    with pytest.raises(UserError, match="no licence is called GPLv3"):
        Gate(("GPLv3",))
    with pytest.raises(UserError, match="no share"):
        Gate(("any",), min_coverage=20)

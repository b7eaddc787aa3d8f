"""Sums over several texts: each character once, by licence and by repository; and answers about added lines alone."""

import pytest

from membership.told import FakeIndex, answer, check, file, match
from starloom.identity import content_id
from starloom.membership.answers import Answer
from starloom.membership.answers import answer as ask
from starloom.membership.given import Given
from starloom.membership.matches import Licensed
from starloom.membership.whole import whole


def parts(found):
    return {name: (part.characters, part.texts) for name, part in found.items()}


def test_each_character_counts_once():
    one, two = file("one", end=200), file("two", start=100, end=300, license="GPL-3.0-only")
    first = answer(match(one, two, end=300), match(one, start=0, end=100))
    total = whole([first, answer(match(file("one", end=500), end=500)), answer()])
    assert (total.texts, total.matched, total.slight) == (3, 2, 0)
    assert (total.characters, total.covered, total.coverage) == (3000, 800, 800 / 3000)
    assert parts(total.repositories) == {"one": (700, 2), "two": (200, 1)}


def test_licences_are_what_the_index_says_of_all_files():
    found = check(match(file()))
    told = [Licensed("MIT", "permissive", 150, 40), Licensed("no license", "no_license", 90, 3)]
    object.__setattr__(found, "licenses", told)
    total = whole([Answer(Given("a", "x" * 1000), found)] * 2)
    assert parts(total.licenses) == {"MIT": (300, 2), "no license": (180, 2)}


def test_what_became_of_each():
    texts = [
        answer(match(file(end=60), end=60)),  # shorter than what is always found
        answer(match(file(), common=True)),
        answer(status="not_covered"),
        answer(status="partial"),
        Answer(Given("x.png", None, "binary"), None),
        answer(match(file(), end=150), guarantee=180),
    ]
    total = whole(texts)
    counts = total.matched, total.slight, total.short, total.partial, total.unread
    assert counts == (0, 3, 1, 1, 1)
    assert parts(total.repositories) == {"one": (260, 2)}  # common code is nobody's


def test_identical_files():
    text = "x" * 1000
    same = file(content_id=content_id(text.encode()))
    assert whole([answer(match(same)), answer(match(file()))]).identical == 1


TEXT = "".join(f"line {number} of the file that was there\n" for number in range(10))


def at(line):
    """Where a line of TEXT begins, counted from 1."""
    return TEXT.index(f"line {line - 1} ")


@pytest.mark.parametrize(
    ("added", "lines", "characters", "status"),
    [
        ((3, 4, 5), [(3, 6)], 3 * 34, "match"),
        ((1, 2), [], 0, "no_match"),
        ((1,), [], 0, "not_covered"),
        ((6, 7, 8), [(3, 6)], 34, "match"),
    ],
)
def test_added_lines_alone(added, lines, characters, status):
    """Of a text that begins on line 11 of its file, lines 3 to 6 of it match."""
    found = match(file(), start=at(3), end=at(7) - 1, first_line=3, last_line=6)
    given = Given("a.py", TEXT, first_line=11, added=tuple(line + 10 for line in added))
    told = ask(FakeIndex(lambda _: check(found, characters=len(TEXT))), given, 5).found
    assert [(one.first_line - 10, one.last_line - 10) for one in told.matches] == lines
    assert told.status == status
    assert told.characters == pytest.approx(34 * len(added), abs=len(added))
    if lines:
        assert told.matches[0].characters == pytest.approx(characters, abs=3)
        assert [licensed.characters for licensed in told.licenses] == [told.matches[0].characters]
        assert told.coverage == pytest.approx(told.matches[0].characters / told.characters)
    else:
        assert (told.coverage, told.licenses) == (0.0, [])


def test_of_a_part_of_the_index():
    found = match(file(), start=at(3), end=at(7) - 1)
    given = Given("a.py", TEXT, added=(8, 9, 10))
    told = ask(FakeIndex(lambda _: check(found, problems=["shard 3 is missing"])), given, 5).found
    assert told.status == "partial"
    assert told.verdict.startswith("partial")


def test_what_is_no_text():
    given = Given("x.png", None, "binary")
    told = ask(FakeIndex(None), given, 5)
    assert (told.found, told.problem) == (None, "binary")

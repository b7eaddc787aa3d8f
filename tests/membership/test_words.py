"""Answers in words: what is private or odd is not shown as it is, and nothing is left out unsaid."""

from membership.told import answer, check, file, match
from starloom.identity import content_id
from starloom.membership.answers import Answer
from starloom.membership.batch import Batch
from starloom.membership.gate import Gate, judge
from starloom.membership.given import Given
from starloom.membership.whole import whole
from starloom.membership.words import about_batch, about_diff, about_gate, about_text, about_texts

EMAIL = "grace.hopper" + "@" + "cobol-museum.dev"
TEXT = f'contact = "{EMAIL}"\nvalue = 1  # \x1b[31m\n' + "x" * 200


def test_a_text():
    found = check(
        match(file(permalink="https://github.com/one/blob/a#L1"), file("two", license="GPL-3.0-only"), end=len(TEXT)),
        match(file(), common=True, reason="a licence or notice"),
        match(file(end=60), end=60),
    )
    shown = about_text(Given("a\x1b.py", TEXT), found, False)
    assert shown.startswith("a\\x1b.py: match in the 3 repositories indexed, 50.0 % of 1,000 characters, 1.0 ms")
    assert "one:a.py, lines 1 to 9  MIT (permissive)  train" in shown
    assert "https://github.com/one/blob/a#L1" in shown
    assert "<EMAIL>" in shown
    assert EMAIL not in shown
    assert "\x1b" not in shown
    assert "left out: 2 matches below 99 characters or that many files share" in shown
    assert "licences: " in shown
    assert "GPL-3.0-only" in shown.rpartition("licences: ")[2]
    raw = about_text(Given("a.py", TEXT), found, True, raw=True)
    assert EMAIL in raw
    assert "\x1b" not in raw
    assert "a licence or notice" in raw
    assert "left out" not in raw


def test_a_licence_that_is_unknown_is_not_none():
    kinds = ["no_license", "non_permissive", None]
    found = check(match(*(file(license="", license_type=one) for one in kinds), end=len(TEXT)))
    shown = about_text(Given("a.py", TEXT), found, False)
    for told in ("no license", "licence unknown, non permissive", "licence unknown"):
        assert f"one:a.py, lines 1 to 9  {told}  train\n" in shown
    assert {one.name for one in found.licenses} == {"no license", "unknown, non permissive", "unknown"}


def test_names_changed():
    shown = about_text(Given("a.py", TEXT), check(match(file(), kind="renamed", end=len(TEXT))), False)
    assert "characters with other names, in 1 file" in shown
    one = answer(match(file(), kind="renamed", end=500), match(file(), end=200), coverage_with_renamed=0.7)
    assert "50.0 % of 1,000 characters (70.0 % with renamed copies)" in about_text(one.given, one.found, False)
    total = whole([one, answer()])
    assert (total.covered, total.covered_with_renamed) == (200, 500)
    assert "10.0 % of 2,000 characters (25.0 % with renamed copies)" in about_texts([one], total, "all", False)


def test_several_texts():
    many = [answer(match(file(f"r{k}"))) for k in range(60)]
    short = about_texts(many, whole(many), "the 3 repositories indexed", False)
    assert "and 10 more; --all shows everything" in short
    assert "and 52 more; --all shows everything" in short  # repositories
    assert short.endswith(
        "60 files of 60 with a match: 20.0 % of 60,000 characters, against the 3 repositories indexed"
    )
    assert "more;" not in about_texts(many, whole(many), "the 3 repositories indexed", True)


def test_files_that_are_the_same_are_counted_of_all():
    """A short one is the same and tells nothing."""
    text = "x" * 1000
    same = file(content_id=content_id(text.encode()))
    many = [answer(match(same)), answer(match(same, common=True))]
    shown = about_texts(many, whole(many), "all", False)
    assert "1 file of 2 with a match, 1 with slight ones only (below 99 characters, or that many files share)" in shown
    assert ", 2 of all 2 are, to the byte, files of the data: " in shown
    assert "1 of all 1 is, to the byte, a file of the data: " in about_texts(many[:1], whole(many[:1]), "all", False)


def test_files_that_are_not_listed():
    """As where the shard that knows them is not there."""
    one = answer(match(total=7))
    assert "7 files" in about_texts([one], whole([one]), "all", False)
    assert "in files under what is not here" in about_gate(judge(Gate(("any",)), [one]), False)


def test_hunks_of_a_diff():
    hunks = [
        Answer(Given("a.py", TEXT, first_line=line, added=(line,)), check(match(file(), end=len(TEXT))))
        for line in (1, 50)
    ]
    shown = about_diff(hunks, whole(hunks), "all", False)
    assert "2 hunks of 2 with a match" in shown
    assert shown.count("characters added") == 2


def test_a_gate():
    found = match(file(license="GPL-3.0-only"), total=3)
    shown = about_gate(judge(Gate(("copyleft",)), [answer(found)] * 12), False)
    assert shown.startswith(
        "12 matches that must not be (copyleft)\nmine.py:1-9  200 characters, in one:a.py, lines 1 to 9"
    )
    assert shown.count("and 2 more\n") == 10
    assert shown.endswith("and 2 more; --all shows everything")
    partial = about_gate(judge(Gate(("copyleft",)), [answer(status="partial")]), False)
    assert partial == "1 text of which a part of the index alone could be asked"


def test_samples():
    batch = Batch()
    for number in range(25):
        batch.add(number + 1, "T/0", answer(match(file())))
    shown = about_batch(batch, "all", False)
    assert "T/0, sample 0: 200 characters at most, in one  MIT" in shown
    assert "and 5 more; --all shows everything" in shown
    assert shown.endswith(
        "25 samples of 25 with a match: 20.0 % of 25,000 characters, against all\n"
        "1 task of 1 with at least one such sample"
    )

"""SARIF: what a reader of the standard needs, and nothing of the text."""

import json
from pathlib import Path

from membership.told import answer, file, match
from starloom.membership import sarif
from starloom.membership.answers import Answer
from starloom.membership.gate import Gate, judge
from starloom.membership.given import Given
from starloom.membership.sarif import log

TEXT = "import x\n\ndef secret_name():\n    return 12345\n"
START, END = TEXT.index("def"), len(TEXT) - 1


def one_match(*files, **more):
    return match(*files, start=START, end=END, first_line=3, last_line=4, characters=150, **more)


def run(answers, *fail_on):
    told = log(answers, judge(Gate(fail_on), answers) if fail_on else None)
    assert told["version"] == "2.1.0"
    assert "sarif-schema-2.1.0.json" in told["$schema"]
    json.dumps(told)
    (one,) = told["runs"]
    rules = [rule["id"] for rule in one["tool"]["driver"]["rules"]]
    for result in one["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    return one


def test_a_result():
    link = "https://github.com/gnu/one/blob/abc/a%20b.py#L5-L6"
    gnu = file("gnu/one", "a b.py", "GPL-3.0-only", permalink=link, first_line=5, last_line=6)
    (result,) = run([answer(one_match(gnu, file()), path="my file.py", text=TEXT)])["results"]
    assert result["ruleId"] == "matching-code/copyleft"
    assert result["level"] == "warning"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20file.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 17},
    }
    assert "gnu/one:a b.py, lines 5 to 6 (GPL-3.0-only) and 1 more file" in result["message"]["text"]
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == link.partition("#")[0]
    assert related["physicalLocation"]["region"] == {"startLine": 5, "endLine": 6}
    assert result["properties"]["licenses"] == ["GPL-3.0-only", "MIT"]


def test_nothing_of_the_text():
    told = json.dumps(run([answer(one_match(file()), text=TEXT)]))
    assert "secret_name" not in told
    assert "12345" not in told


def test_levels():
    gnu, mit = one_match(file(license="GPL-3.0-only")), one_match(file())
    common, short = one_match(file(), common=True), match(file(), end=60)
    answers = [answer(common, mit, short, gnu, text=TEXT * 3)]
    kinds = [(one["level"], one["ruleId"].rpartition("/")[2]) for one in run(answers)["results"]]
    assert kinds == [("warning", "permissive"), ("warning", "copyleft"), ("note", "permissive"), ("note", "permissive")]
    levels = [one["level"] for one in run(answers, "copyleft")["results"]]
    assert levels == ["error", "note", "note", "note"]  # what fails comes first


def test_fingerprints_know_a_stretch_again():
    def prints(text, start):
        found = match(file(), start=start, end=start + END - START)
        results = run([answer(found, text=text), answer(found, text=text)])["results"]
        return [one["partialFingerprints"]["matchingCode/v1"] for one in results]

    first = prints(TEXT, START)
    assert len(set(first)) == 2  # the second of the same
    assert prints("# more\n" + TEXT.replace("    ", "\t", 1).replace("\t", "    "), START + 7) == first
    assert prints(TEXT.replace("12345", "54321"), START) != first


def test_places():
    def uri(**given):
        return run([Answer(Given(text=TEXT, **given), answer(one_match(file())).found)])["results"][0]["locations"][0][
            "physicalLocation"
        ]["artifactLocation"]

    assert uri(path="c.py", added=(1,)) == {"uri": "c.py", "uriBaseId": "%SRCROOT%"}
    assert uri(path="-") == {"uri": "-", "uriBaseId": "%SRCROOT%"}
    assert uri(path="a.py", folder="src/é") == {"uri": "src/%C3%A9/a.py", "uriBaseId": "%SRCROOT%"}
    assert uri(path="a.py", folder=".") == {"uri": "a.py", "uriBaseId": "%SRCROOT%"}
    assert uri(path=str(Path.cwd() / "a.py")) == {"uri": "a.py", "uriBaseId": "%SRCROOT%"}
    assert uri(path="/home/a b.py") == {"uri": "file:///home/a%20b.py"}


def test_places_are_told_from_the_work_tree(tmp_path, monkeypatch):
    """As those of a diff are, wherever we stand in it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    for way, given in {
        "a.py": Given("../a.py", TEXT),
        "sub/b.py": Given("b.py", TEXT),
        "sub/c.py": Given("c.py", TEXT, folder="."),
        "d.py": Given("d.py", TEXT, folder=".."),
        "e.py": Given("e.py", TEXT, added=(3,)),
    }.items():
        (result,) = run([Answer(given, answer(one_match(file())).found)])["results"]
        artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert artifact == {"uri": way, "uriBaseId": "%SRCROOT%"}


def test_names_of_strangers():
    odd = file("re[po]", "x\x1b[31m](http://evil).py")
    (result,) = run([answer(one_match(odd), text=TEXT)])["results"]
    assert "\x1b" not in result["message"]["text"]
    assert "re\\[po\\]:x\\x1b\\[31m\\](http" in result["message"]["text"]


def test_what_was_not_looked_at_is_told():
    told = run([Answer(Given("x.png", None, "binary"), None), answer(status="partial", path="a.py")])
    notes = told["invocations"][0]["toolExecutionNotifications"]
    assert [one["message"]["text"] for one in notes] == ["x.png: binary", "a.py: partial"]


def test_more_than_can_be_listed(monkeypatch):
    monkeypatch.setattr(sarif, "MOST_RESULTS", 10)
    told = run([answer(*[one_match(file())] * 4, text=TEXT)] * 3)
    assert len(told["results"]) == 10
    assert "12 matches" in told["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]

"""Matches as SARIF 2.1.0, which code scanning of GitHub and others, and editors, read.

A result is a match; its rule says what the worst licence among its files is. What fails a gate is an error, other code
that tells something a warning (a note where there is a gate), common code a note. No source text is in it.
Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
GitHub takes 25,000 results and shows 5,000.
"""

import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from starloom import __version__
from starloom.membership import license_of
from starloom.membership.answers import Answer
from starloom.membership.gate import Failure, Judgement
from starloom.membership.given import Given
from starloom.membership.matches import Check, Match, MatchedFile, lines_of
from starloom.membership.whole import tells
from starloom.outside.paths import printable
from starloom.progress import counted
from starloom.sources.git.patch import root_around

MOST_RESULTS: Final = 25_000
MOST_FILES: Final = 20  # of a result
_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RULES: Final = {
    "copyleft": "Code that matches files under a copyleft licence",
    "non_permissive": "Code that matches files under a licence that is not permissive",
    "unlicensed": "Code that matches files without a licence",
    "permissive": "Code that matches files under a permissive licence",
}
_HELP: Final = (
    "The lines stand in files of the dataset that was indexed, white space aside. That is matching code; it does not "
    "say who wrote it first. Replace it, or keep the notice and the terms of the licence."
)


def log(answers: list[Answer], judgement: Judgement | None = None) -> dict[str, Any]:
    """The SARIF log of all matches, those that fail first."""
    failed: dict[int, Failure] = {id(one.match): one for one in judgement.failures} if judgement else {}
    found = [(one.given, one.found, match) for one in answers if one.found for match in one.found.matches]
    levels = [_level(one, match, failed, judgement is not None) for _, one, match in found]
    order = sorted(range(len(found)), key=lambda k: ("error", "warning", "note").index(levels[k]))
    seen: Counter[str] = Counter()
    root = root_around(Path.cwd()) or Path.cwd()
    results = [
        _result(given, match, levels[k], failed.get(id(match)), seen, root)
        for k in order[:MOST_RESULTS]
        for given, _, match in [found[k]]
    ]
    told = [_notification(one.problem, one.given, root) for one in answers if one.problem]
    told += [_notification(one.found.verdict, one.given, root) for one in answers if one.found and _unsure(one)]
    if len(found) > MOST_RESULTS:
        told.append(_notification(f"{len(found):,} matches, of which {MOST_RESULTS:,} are listed"))
    driver = {
        "name": "starloom check",
        "version": __version__,
        "rules": [_rule(kind, text) for kind, text in _RULES.items()],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "starloom/check/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": told}],
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _unsure(answer: Answer) -> bool:
    return answer.found is not None and answer.found.status == "partial"


def _level(found: Check, match: Match, failed: dict[int, Failure], gate: bool) -> str:
    if id(match) in failed:
        return "error"
    return "warning" if tells(match, found) and not gate else "note"


def _rule(kind: str, text: str) -> dict[str, Any]:
    return {
        "id": _rule_id(kind),
        "name": "".join(map(str.capitalize, f"matching_{kind}_code".split("_"))),
        "shortDescription": {"text": text},
        "fullDescription": {"text": f"{text}. {_HELP}"},
        "help": {"text": _HELP},
        "defaultConfiguration": {"level": "note" if kind == "permissive" else "warning"},
        "properties": {"tags": ["license", "provenance"]},
    }


def _rule_id(kind: str) -> str:
    return f"matching-code/{kind.replace('_', '-')}"


def _result(
    given: Given, match: Match, level: str, failure: Failure | None, seen: Counter[str], root: Path
) -> dict[str, Any]:
    text = given.text or ""
    kind = license_of.worst(match.licenses)
    print_ = hashlib.sha256(" ".join(text[match.start : match.end].split()).encode()).hexdigest()[:32]
    seen[print_] += 1
    files = [*(failure.files if failure else []), *match.files]
    files = list({(file.repo_name, file.path): file for file in files}.values())[:MOST_FILES]
    region = {
        "startLine": match.first_line,
        "startColumn": match.start - text.rfind("\n", 0, match.start),
        "endLine": match.last_line,
        "endColumn": match.end - text.rfind("\n", 0, match.end),
    }
    result: dict[str, Any] = {
        "ruleId": _rule_id(kind),
        "ruleIndex": list(_RULES).index(kind),
        "level": level,
        "message": {"text": _message(match, files, failure)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(given, root), "region": region}}],
        "partialFingerprints": {"matchingCode/v1": f"{print_}:{seen[print_]}"},
        "properties": {
            "characters": match.characters,
            "kind": match.kind,
            "common": match.common,
            "files": match.total,
            "licenses": sorted({one.name for one in match.licenses}),
        },
    }
    related = [one for number, file in enumerate(files) if (one := _related(number, file))]
    return result | ({"relatedLocations": related} if related else {})


def _message(match: Match, files: list[MatchedFile], failure: Failure | None) -> str:
    if not files:
        return f"{counted(match.characters, 'characters')} match {counted(match.total, 'files')}"
    first = files[0]
    where = printable(f"{first.repo_name}:{first.path}, {lines_of(first.first_line, first.last_line)}")
    more = f" and {counted(match.total - 1, 'more files')}" if match.total > 1 else ""
    renamed = " (names changed)" if match.kind == "renamed" else ""
    why = f"; fails on {', '.join(failure.kinds)}" if failure else "; common code" if match.common else ""
    told = f"{counted(match.characters, 'characters')} match {where} ({license_of.name(first)}){more}{renamed}{why}"
    return told.replace("[", "\\[").replace("]", "\\]")  # brackets are links in SARIF


def _related(number: int, file: MatchedFile) -> dict[str, Any] | None:
    if not file.permalink:
        return None
    return {
        "id": number + 1,
        "message": {"text": printable(f"{file.repo_name}:{file.path} ({license_of.name(file)})")},
        "physicalLocation": {
            "artifactLocation": {"uri": file.permalink.partition("#")[0]},
            "region": {"startLine": file.first_line, "endLine": file.last_line},
        },
    }


def _artifact(given: Given, root: Path) -> dict[str, Any]:
    """Where a text is: by the way from `root`, the work tree's around us, as a diff has it; else by its address."""
    place = given.place
    if given.added is None and place != "-":
        path = Path(os.path.abspath(place))  # noqa: PTH100 - `..` is followed by name, no link is
        if not path.is_relative_to(root):
            return {"uri": path.as_uri()}
        place = path.relative_to(root).as_posix()
    return {"uri": quote(place), "uriBaseId": "%SRCROOT%"}


def _notification(problem: str, given: Given | None = None, root: Path = Path()) -> dict[str, Any]:
    told = {"level": "warning", "message": {"text": printable(f"{given.place}: {problem}" if given else problem)}}
    where = {"locations": [{"physicalLocation": {"artifactLocation": _artifact(given, root)}}]} if given else {}
    return told | where

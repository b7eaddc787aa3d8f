"""Answers of the check command as JSON has them: one text, several, and what a gate says."""

from dataclasses import asdict
from typing import Any

from starloom.membership.answers import Answer
from starloom.membership.gate import Failure, Judgement
from starloom.membership.whole import whole


def about_text(answer: Answer, files: int | None) -> dict[str, Any]:
    """What is told of one text; every match with the `path` of the text, and at most so many files."""
    if answer.found is None:
        return {"path": answer.given.path, "verdict": f"not covered: {answer.problem}", "status": "not_covered"}
    told = answer.found.to_json()
    matches = [{"path": answer.given.path, **match, "files": match["files"][:files]} for match in told["matches"]]
    return {"path": answer.given.path} | told | {"matches": matches}


def about_texts(answers: list[Answer], files: int | None) -> dict[str, Any]:
    """Their sums, all matches as of one text, and `texts`: what became of each."""
    matches: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for one in answers:
        told = about_text(one, files)
        found = told.pop("matches", None)
        matches += found or ()
        keys = ("path", "status", "verdict", "coverage", "coverage_with_renamed", "characters")
        texts.append({key: told.get(key) for key in keys} | {"matches": None if found is None else len(found)})
        if one.given.added is not None:
            texts[-1]["first_line"] = one.given.first_line
    return whole(answers).to_json() | {"matches": matches, "texts": texts}


def about_gate(judgement: Judgement | None) -> dict[str, Any]:
    """The key `gate`; none where no gate was asked for."""
    if judgement is None:
        return {}
    told = {
        "fail_on": list(judgement.gate.fail_on),
        "failed": judgement.failed,
        "failures": [_failure(one) for one in judgement.failures],
        "partial": judgement.partial,
    }
    return {"gate": told}


def _failure(one: Failure) -> dict[str, Any]:
    match = one.match
    return {
        "path": one.given.place,
        "first_line": match.first_line,
        "last_line": match.last_line,
        "characters": match.characters,
        "kind": match.kind,
        "fails_on": list(one.kinds),
        "licenses": [asdict(licensed) for licensed in one.licenses],
        "files": [{"repo_name": file.repo_name, "path": file.path, "permalink": file.permalink} for file in one.files],
    }

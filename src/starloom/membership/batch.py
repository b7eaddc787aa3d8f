"""Samples of a model, one JSON object a line, as texts to be checked: how much of what it wrote stands in the data.

HumanEval's `completions.jsonl` (`task_id`, `completion`), EvalPlus' `solution`, lists of samples in a row, and the
`choices` of a completions API are read as they are; other names with an option. Plain, gzipped or in Zstandard.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from starloom.errors import UserError
from starloom.membership.answers import Answer
from starloom.membership.check import MOST_BYTES
from starloom.membership.given import Given, of_text
from starloom.membership.whole import Whole, tells
from starloom.outside.json_lines import LinesError, json_object, lines

CONTENT: Final = ("completion", "solution", "generation", "text", "content", "code", "output", "response", "choices")
ID: Final = ("task_id", "id", "name", "problem_id")
_MOST_LINE: Final = 8 * MOST_BYTES  # escapes, and several samples
_MOST_FILE: Final = 1 << 40


@dataclass(frozen=True)
class Sample:
    """One sample and what of it is in the data. `longest`: characters of its longest match that is no common code;
    `licenses`, `repositories`: of those matches."""

    line: int
    task_id: str
    sample: int  # from 0, of this task
    status: str
    verdict: str
    characters: int
    coverage: float
    matched: bool  # a match that tells something
    longest: int
    licenses: tuple[str, ...]
    repositories: tuple[str, ...]


@dataclass
class Batch:
    """All samples, their sums, and the tasks of which at least one sample is in the data."""

    whole: Whole = field(default_factory=Whole)
    samples: list[Sample] = field(default_factory=list)
    _of_task: Counter[str] = field(default_factory=Counter)

    def add(self, line: int, task_id: str, answer: Answer) -> None:
        """One more sample, of a task."""
        self.whole.add(answer)
        number = self._of_task[task_id]
        self._of_task[task_id] += 1
        found = answer.found
        if found is None:
            told = f"not covered: {answer.problem}"
            self.samples.append(Sample(line, task_id, number, "not_covered", told, 0, 0.0, False, 0, (), ()))
            return
        own = [match for match in found.matches if not match.common]
        files = [file for match in own for file in match.files]
        one = Sample(
            line=line,
            task_id=task_id,
            sample=number,
            status=found.status,
            verdict=found.verdict,
            characters=found.characters,
            coverage=found.coverage,
            matched=any(tells(match, found) for match in own),
            longest=max((match.characters for match in own), default=0),
            licenses=tuple(sorted({one.name for match in own for one in match.licenses})),
            repositories=tuple(sorted({file.repo_name for file in files})),
        )
        self.samples.append(one)

    @property
    def tasks(self) -> dict[str, int]:
        """Of each task, in order of appearance, how many samples have a match that tells something."""
        found = dict.fromkeys(self._of_task, 0)
        for one in self.samples:
            found[one.task_id] += one.matched
        return found

    def to_json(self) -> dict[str, Any]:
        told = self.whole.to_json()
        tasks = {name: {"samples": self._of_task[name], "matched": number} for name, number in self.tasks.items()}
        return told | {"tasks": tasks, "samples": [asdict(one) for one in self.samples]}


def samples(path: Path, content: str | None = None, name: str | None = None) -> Iterator[tuple[int, str, Given]]:
    """(line, task, text) of every sample of a file. `content`, `name`: the fields that have them.

    Raises UserError for a file that cannot be read, for a line that is no JSON object or has no text.
    """
    number = 0
    try:
        for number, (_, line) in enumerate(lines(str(path), max_line=_MOST_LINE, max_bytes=_MOST_FILE), 1):
            if line is not None and not line.strip():
                continue
            row = json_object(line) if line is not None else None
            if row is None:
                problem = "is no JSON object" if line is not None else f"is longer than {_MOST_LINE:,} bytes"
                raise UserError(f"{path}, line {number:,} {problem}", "one JSON object a line, with the text in it")
            task = _task(row, name, number)
            for text in _texts(row, content, path, number):
                yield number, task, _given(f"{path}:{number}", text)
    except LinesError as problem:
        raise UserError(f"cannot read {path}: {problem}", "give a JSONL file, plain, gzipped or in Zstandard") from None
    if not number:
        raise UserError(f"{path} is empty", 'one JSON object a line: {"task_id": …, "completion": …}')


def _given(place: str, text: str) -> Given:
    try:
        return of_text(place, text)
    except UnicodeEncodeError:
        return Given(place, None, "no Unicode: a lone surrogate")


def _task(row: dict[str, Any], name: str | None, number: int) -> str:
    for one in (name,) if name else ID:
        if isinstance(value := row.get(one), str | int):
            return str(value)
    return f"line {number}"


def _texts(row: dict[str, Any], content: str | None, path: Path, number: int) -> list[str]:
    for name in (content,) if content else CONTENT:
        if name in row:
            value = row[name]
            texts = [_text(one) for one in (value if isinstance(value, list) else [value])]
            if any(one is None for one in texts):
                break
            return [one for one in texts if one is not None]
    known = f"it has {', '.join(list(row)[:10]) or 'nothing'}"
    wanted = f"no text in `{content}`" if content else f"none of {', '.join(CONTENT)}"
    raise UserError(f"{path}, line {number:,}: {wanted}; {known}", "say where the text is: --content FIELD")


def _text(value: Any) -> str | None:
    """A text, or the one that a choice of a completions API has."""
    if isinstance(value, dict):
        message = value.get("message")
        value = message.get("content") if isinstance(message, dict) else value.get("text")
    return value if isinstance(value, str) else None

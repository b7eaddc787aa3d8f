"""Many requests in a file of JSON Lines, plain, gzipped or in Zstandard: a line is a text, or an object with `prompt`
and what else a `Request` has (`suffix`, `path`, `repo_name`, `max_tokens`, `temperature`, `top_p`, `stop`, `seed`)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from starloom.completion.request import Request
from starloom.errors import UserError
from starloom.outside.json_lines import LinesError, lines

_MOST_LINE: Final = 16 << 20  # bytes
_MOST_BYTES: Final = 1 << 40  # of a file's text
_FORMS: Final = 'write a text, or {"prompt": "…"} with `suffix` and other options of a request as it has them'
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(("prompt", "suffix", "path", "repo_name"), (str,)),
    **dict.fromkeys(("temperature", "top_p"), (int, float)),
    **dict.fromkeys(("max_tokens", "seed"), (int,)),
    "stop": (str, list),
}


def requests(path: Path, like: Request) -> Iterator[tuple[int, Request]]:
    """(number of the line from 1, what it asks); what a line does not say is as in `like`. Empty lines are skipped.

    Raises UserError, which names file and line.
    """
    try:
        for number, (_, line) in enumerate(lines(str(path), max_line=_MOST_LINE, max_bytes=_MOST_BYTES), 1):
            if line is None:
                raise UserError(
                    f"{path}, line {number:,} has more than {_MOST_LINE >> 20} MB", "write one prompt a line"
                )
            if not line.strip():
                continue
            try:
                yield number, replace(like, **_values(line))
            except UserError as problem:
                raise UserError(f"{path}, line {number:,}: {problem.problem}", problem.hint) from None
    except LinesError as problem:
        raise UserError(f"{path} cannot be read: {problem}", "copy the file again, or make it readable") from None


def _values(line: bytes) -> dict[str, Any]:
    """The fields of a request that a line gives. Raises UserError."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        raise UserError("no JSON", _FORMS) from None
    if isinstance(given, str):
        return {"prompt": given}
    if not isinstance(given, dict):
        raise UserError("neither a text nor an object", _FORMS)
    values = {name: value for name, value in given.items() if name in _KINDS and value is not None}
    if "prompt" not in values and "suffix" not in values:
        raise UserError("it has no prompt", _FORMS)
    for name, value in values.items():
        if not isinstance(value, _KINDS[name]) or isinstance(value, bool):
            raise UserError(f"{name} is {str(value)[:40]!r}", f"give a {_KINDS[name][0].__name__}")
    if "stop" in values:
        stop = values["stop"] if isinstance(values["stop"], list) else [values["stop"]]
        if not all(isinstance(one, str) for one in stop):
            raise UserError("stop is no list of texts", _FORMS)
        values["stop"] = tuple(stop)
    return {"prompt": "", **values}

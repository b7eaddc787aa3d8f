"""Examples in files of JSON Lines, laid out as texts and special tokens. Torch-free.

A line is one object, plain, gzipped or in Zstandard:

    {"text": "…"}                                                   learnt whole
    {"prompt": "…", "completion": "…"}                              the completion is learnt
    {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
    {"instruction": "…", "output": "…"}                             the same in short; "input", "response" are known
    {"prefix": "…", "suffix": "…", "middle": "…"}                   fill-in-the-middle, as the model's family has it

Other keys are passed over. Where a completion begins, tokens begin anew: as a prompt that the model goes on from.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from starloom.errors import UserError
from starloom.outside.json_lines import LinesError, json_object, lines
from starloom.tokens import prompt as prompts
from starloom.tokens.tokenizer import Tokenizer
from starloom.training.finetune.chat import Chat, Laid, LineError

_MOST_LINE: Final = 64 << 20  # bytes
_MOST_BYTES: Final = 1 << 40  # of a file's text
_MOST_PROMPT: Final = 1 << 24  # tokens
_TALKS: Final = {"messages", "instruction"}
_FORMS: Final = (
    'write {"text": …}, {"prompt": …, "completion": …}, {"messages": [{"role": …, "content": …}, …]} or '
    '{"prefix": …, "suffix": …, "middle": …}'
)


class Example(NamedTuple):
    """line: its number in the file, from 1. source: the line's bytes. whole: it must not be cut. talks: it is a
    conversation."""

    line: int
    source: bytes
    laid: Laid
    whole: bool
    talks: bool


def examples(path: Path, tokenizer: Tokenizer, chat: Chat, everything: bool) -> Iterator[Example]:
    """Those of a file. everything: prompts are learnt too. Raises UserError, which names file and line."""
    try:
        for number, (_, line) in enumerate(lines(str(path), max_line=_MOST_LINE, max_bytes=_MOST_BYTES), 1):
            if line is None:
                raise UserError(
                    f"{path}, line {number:,} has more than {_MOST_LINE >> 20} MB", "write one example a line"
                )
            if not line.strip():
                continue
            values = json_object(line)
            if values is None:
                raise UserError(f"{path}, line {number:,} is no JSON object", _FORMS)
            try:
                talks = not _TALKS.isdisjoint(values)
                for laid, whole in _laid_out(values, tokenizer, chat, everything):
                    yield Example(number, line, laid, whole, talks)
            except LineError as problem:
                raise UserError(f"{path}, line {number:,}: {problem}", _FORMS) from None
    except LinesError as problem:
        raise UserError(f"{path}: {problem}", "name a file of JSON Lines") from None


def _laid_out(
    values: dict[str, Any], tokenizer: Tokenizer, chat: Chat, everything: bool
) -> Iterator[tuple[Laid, bool]]:
    """The examples of a line. Raises LineError."""
    end = (tokenizer.end_of_text, True)
    if "messages" in values:
        for laid in chat.lay_out(values["messages"], everything):
            yield laid, True
    elif "instruction" in values:
        asked = "\n\n".join(filter(None, (_text(values, "instruction"), _text(values, "input", ""))))
        answer = _text(values, "response" if "response" in values else "output")
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        yield chat.lay_out(messages, everything)[0], True
    elif "completion" in values:
        yield [(_text(values, "prompt"), everything), (_text(values, "completion"), True), end], True
    elif "middle" in values:
        yield [*_gap(values, tokenizer, everything), (_text(values, "middle"), True), end], True
    elif "text" in values:
        if not (text := _text(values, "text")):
            raise LineError('its "text" is empty')
        yield [(text, True), end], False
    else:
        keys = ", ".join(map(repr, list(values)[:5])) or "no keys"
        raise LineError(f"it has none of the known forms, but {keys}")


def _gap(values: dict[str, Any], tokenizer: Tokenizer, everything: bool) -> Laid:
    """What a model is given to fill in the middle."""
    if tokenizer.markers is None:
        raise LineError("the model's tokenizer has no tokens for fill-in-the-middle")
    told = {name: _text(values, name, "") for name in ("path", "repo_name")}
    before, after = _text(values, "prefix"), _text(values, "suffix")
    if not after:
        return [(one, everything) for one in ([before] if before else [])]
    made = prompts.build(tokenizer, before, after, room=_MOST_PROMPT, fit=False, **told)
    return [(number, everything) for number in made.ids]


def _text(values: dict[str, Any], name: str, default: str | None = None) -> str:
    """Raises LineError where it is not there, or no text."""
    found = values.get(name)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise LineError(f'its "{name}" is missing' if found is None else f'its "{name}" is no text')
    return found

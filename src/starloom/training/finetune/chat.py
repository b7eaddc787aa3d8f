"""Conversations as a model's chat template lays them out, with what the assistant says told apart. Torch-free.

What is learnt is what stands after the generation prompt, as the model will be asked, up to the token that ends the
turn. A template is a stranger's program: it runs in Jinja's sandbox, without a clock. A marker that is spelled in a
message stays text, as everywhere (tokens/tokenizer.py); only the template's own become special tokens. The one
exception: tokens that the tokenizer does not call special and that the template names (`<think>`), in answers.
"""

import json
import re
from collections.abc import Mapping, Set
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from starloom.errors import UserError
from starloom.tokens.hub_format import CONFIG, FILE, parsed
from starloom.tokens.tokenizer import Tokenizer

TEMPLATE_FILE: Final = "chat_template.jinja"
ASSISTANT: Final = "assistant"
DEFAULT_TEMPLATE: Final = (  # in ordinary words, for vocabularies without tokens for turns
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'user' %}{{ '### Instruction\\n' + message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ '### Response\\n' + message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('roles are system, user and assistant') }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response\\n' }}{% endif %}"
)
_MOST_TEMPLATE: Final = 1 << 20  # bytes
_FIRST_MARK: Final = 0xF0000  # of the private characters, one of which hides the markers in messages

Laid = list[tuple[str | int, bool]]  # texts and special tokens in order, and whether each is learnt


class LineError(Exception):
    """An example that cannot be laid out, and why."""


class Chat:
    """A template over a tokenizer. source: the template. own: whether it is the model's, not DEFAULT_TEMPLATE."""

    def __init__(self, tokenizer: Tokenizer, source: str | None, where: str) -> None:
        """source: None: DEFAULT_TEMPLATE. where: of it, for errors. Raises UserError when it is no template."""
        self.source = DEFAULT_TEMPLATE if source is None else source
        self.own = source is not None
        self._end = tokenizer.end_of_text
        files = tokenizer.files()
        named = {one["content"]: one["special"] for one in json.loads(files[FILE]).get("added_tokens") or ()}
        special = [one for one in parsed(files[FILE], where).get("added_tokens") or () if one["special"]]
        self._numbers = {str(one["content"]): int(one["id"]) for one in special}
        self._spelled = list(self._numbers)
        self._let = {text for text in self._spelled if not named[text] and text in self.source}
        self._constants = _constants(files) | {"eos_token": tokenizer.token_bytes(self._end).decode("utf-8", "replace")}
        longest_first = sorted(map(re.escape, self._spelled), key=len, reverse=True)
        self._marker = re.compile("|".join(longest_first) or r"(?!)")
        try:
            self._template = _environment().from_string(self.source)
        except jinja2.TemplateError as problem:
            raise UserError(f"{where}: its chat template is damaged: {problem}", "take the model's original") from None

    def lay_out(self, messages: Any, everything: bool) -> list[Laid]:
        """A conversation as one example; as one for each answer where the template shows earlier turns otherwise once
        others follow. everything: prompts are learnt too. Raises LineError."""
        checked = _checked(messages)
        mark, marked = self._marked(checked)
        turns = [number for number, one in enumerate(checked) if one["role"] == ASSISTANT]
        if not turns:
            raise LineError("its messages have no answer of the assistant")
        found = [(self._render(marked[:turn], True), self._render(marked[: turn + 1], False)) for turn in turns]
        spans = [(_same(prompt, full), self._stop(full)) for prompt, full in found]
        for (start, stop), turn in zip(spans, turns, strict=True):
            if stop <= start:
                raise LineError(f"the chat template shows nothing of message {turn + 1}, an answer of the assistant")
        whole = found[-1][1]
        grows = all(whole.startswith(full) for _, full in found)
        rises = all(before[1] <= after[0] for before, after in pairwise(spans))
        if grows and rises:
            return [self._pieces(whole, spans, mark, everything)]
        return [self._pieces(full, [span], mark, everything) for (_, full), span in zip(found, spans, strict=True)]

    def _marked(self, messages: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
        """A character that stands nowhere in them; and they, with every token's spelling that is to stay text hidden
        between two of these."""
        every = json.dumps(messages, ensure_ascii=False)
        mark = next(one for one in map(chr, range(_FIRST_MARK, _FIRST_MARK + 0xFFFE)) if one not in every)

        def hide(one: re.Match[str]) -> str:
            return f"{mark}{self._spelled.index(one[0])}{mark}"

        def hidden(value: Any, let: Set[str]) -> Any:
            if isinstance(value, str):
                return self._marker.sub(lambda one: one[0] if one[0] in let else hide(one), value)
            if isinstance(value, Mapping):
                return {name: hidden(one, let) for name, one in value.items()}
            return [hidden(one, let) for one in value] if isinstance(value, list) else value

        return mark, [
            {name: hidden(one, self._let if message["role"] == ASSISTANT else set()) for name, one in message.items()}
            for message in messages
        ]

    def _render(self, messages: list[dict[str, Any]], asks: bool) -> str:
        try:
            return self._template.render(messages=messages, add_generation_prompt=asks, **self._constants)
        except Exception as problem:  # of a stranger's program
            cause = (str(problem).splitlines() or [type(problem).__name__])[0]
            raise LineError(f"the model's chat template refuses it: {cause}") from None

    def _stop(self, full: str) -> int:
        """Where the last turn ends: behind its last token; what the template puts between turns is not learnt."""
        ends = [found.end() for found in self._marker.finditer(full)]
        return ends[-1] if ends and not full[ends[-1] :].strip() else len(full)

    def _pieces(self, text: str, spans: list[tuple[int, int]], mark: str, everything: bool) -> Laid:
        """The text up to the end of the last span; an end of text where no token ends that."""
        found: Laid = []
        at = 0
        for start, stop in spans:
            found += [(piece, everything) for piece in self._split(text[at:start], mark)]
            found += [(piece, True) for piece in self._split(text[start:stop], mark)]
            at = stop
        if isinstance(found[-1][0], str):
            found.append((self._end, True))
        return found

    def _split(self, text: str, mark: str) -> list[str | int]:
        """Texts, and the ids of the tokens that are spelled between them."""
        found: list[str | int] = []
        at = 0
        for one in self._marker.finditer(text):
            found += [text[at : one.start()], self._numbers[one[0]]]
            at = one.end()
        found.append(text[at:])
        seen = re.compile(f"{mark}([0-9]+){mark}")
        return [
            seen.sub(lambda one: self._spelled[int(one[1])], piece) if isinstance(piece, str) else piece
            for piece in found
            if piece != ""
        ]


def template_of(folder: Path) -> str | None:
    """The chat template of the model in `folder`; None: it has none. Raises UserError for one that cannot be read."""
    for name in (TEMPLATE_FILE, CONFIG):
        path = folder / name
        try:
            with path.open("rb") as file:
                data = file.read(_MOST_TEMPLATE * (1 if name == TEMPLATE_FILE else 64) + 1)
            text = data.decode()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as problem:
            raise UserError(f"{path} cannot be read: {problem}", "download it again") from None
        found = text if name == TEMPLATE_FILE else _named(text, path)
        if found is not None:
            if len(found) > _MOST_TEMPLATE:
                raise UserError(f"{path}: its chat template has {len(found):,} characters", "take the model's original")
            return found
    return None


def with_template(config: bytes, source: str) -> bytes:
    """A tokenizer_config.json with this chat template in it."""
    return (json.dumps(json.loads(config or b"{}") | {"chat_template": source}, indent=2) + "\n").encode()


def _named(text: str, path: Path) -> str | None:
    """`chat_template` of a tokenizer_config.json: a template, or a list of named ones."""
    try:
        found = json.loads(text).get("chat_template")
        if isinstance(found, list):
            named = {str(one["name"]): one["template"] for one in found}
            found = named.get("default", next(iter(named.values()), None))
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path} is damaged", "download it again") from None
    if found is not None and not isinstance(found, str):
        raise UserError(f"{path}: its chat_template is no text", "download it again")
    return found


def _checked(messages: Any) -> list[dict[str, Any]]:
    """Messages with role and content, contents in parts put together. Raises LineError."""
    if not isinstance(messages, list) or not messages:
        raise LineError("`messages` is no list of messages")
    found = []
    for number, one in enumerate(messages, 1):
        if not isinstance(one, dict) or not isinstance(one.get("role"), str):
            raise LineError(f'message {number} has no "role"')
        content = one.get("content")
        if isinstance(content, list):
            parts = [part.get("text") if isinstance(part, dict) else None for part in content]
            content = "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None
        if content is None and one["role"] == ASSISTANT and one.get("tool_calls"):
            content = ""
        if not isinstance(content, str):
            raise LineError(f'message {number} has no text as its "content"')
        found.append(one | {"content": content})
    return found


def _constants(files: Mapping[str, bytes]) -> dict[str, str]:
    """What templates know of their tokenizer: `bos_token` and the like, as tokenizer_config.json names them."""
    try:
        config = json.loads(files.get(CONFIG, b"{}"))
    except ValueError:
        return {}
    found = {}
    for name, value in config.items():
        text = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(text, str):
            found[name] = text
    return {"bos_token": ""} | found


def _same(one: str, other: str) -> int:
    """How many characters both begin with."""
    if other.startswith(one):
        return len(one)
    return next((place for place, pair in enumerate(zip(one, other)) if pair[0] != pair[1]), min(len(one), len(other)))


class _Generation(Extension):
    """`{% generation %}`, by which some templates say what an answer is: what stands in it, stands there."""

    tags = {"generation"}  # noqa: RUF012 - Jinja declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> ImmutableSandboxedEnvironment:
    """As transformers sets Jinja up for chat templates, but for the clock."""
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"], autoescape=False
    )

    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    def to_json(value: Any, indent: int | None = None, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent, **options)

    made.globals["raise_exception"] = refuse
    made.filters["tojson"] = to_json
    return made

"""A completion's prompt: the only place where one is put together.

With a suffix it is laid out as the model's family was trained to fill in the middle; with a path, as in a document that
tells repository and paths. What does not fit loses the far ends: the start of the prefix, the end of the suffix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starloom.errors import UserError
from starloom.tokens.special_tokens import Markers
from starloom.tokens.tokenizer import Tokenizer

_SUFFIX_SHARE: Final = 4  # when both are too long, the suffix gets one part in four of the room, the prefix the rest
_LONGEST: Final = 64  # characters per token that a text is first cut to: more of it would not be seen anyway

_Layout = Callable[[list[int], list[int]], list[int]]  # from the ids of prefix and suffix, the whole prompt


@dataclass(frozen=True)
class Prompt:
    """What a model is given. `truncated`: something of what was asked for did not fit."""

    ids: list[int]
    truncated: bool


def build(
    tokenizer: Tokenizer,
    prompt: str,
    suffix: str | None,
    *,
    path: str = "",
    repo_name: str = "",
    room: int,
    fit: bool,
) -> Prompt:
    """The prompt for what comes after `prompt`, and before `suffix` where there is one; at most `room` tokens.

    Raises UserError when there is nothing to complete, when the model cannot take a suffix, and when it is longer than
    `room` and `fit` is false.
    """
    if not prompt and not suffix:
        raise UserError("the prompt is empty", "send some text, a suffix, or both")
    markers = tokenizer.markers
    if suffix and markers is None:
        raise UserError(
            "this model cannot fill in the middle: its tokenizer has no tokens for it",
            "leave out the suffix, or take a model that was trained with fill-in-the-middle",
        )
    told = path if markers and markers.file_sep is not None else ""
    whole = _whole(tokenizer, prompt, suffix or "", told, repo_name, room if fit else None)
    if whole is not None and len(whole) <= room:
        return Prompt(whole, False)
    if not fit:
        raise UserError(
            f"the prompt has {len(whole or ()):,} tokens; there is room for {max(room, 0):,}",
            "shorten it, ask for fewer tokens, or let it be cut (`starloom generate --fit`)",
        )
    return Prompt(_fitted(tokenizer, prompt, suffix or "", told, repo_name, room), True)


def _whole(
    tokenizer: Tokenizer, prompt: str, suffix: str, path: str, repo_name: str, room: int | None
) -> list[int] | None:
    """The prompt uncut; None when its length alone says that `room` tokens cannot hold it."""
    if room is not None and len(prompt) + len(suffix) > max(room, 0) * _LONGEST:
        return None
    head, layout = _laid_out(tokenizer, path, repo_name, bool(suffix))
    return layout(tokenizer.encode(head + prompt), tokenizer.encode(suffix))


def _fitted(tokenizer: Tokenizer, prompt: str, suffix: str, path: str, repo_name: str, room: int) -> list[int]:
    head, layout = _laid_out(tokenizer, path, repo_name, bool(suffix))
    told = tokenizer.encode(head)
    fixed = len(layout(told, []))
    if fixed > room // 2:  # where the text itself would hardly fit, its name is not worth the room
        _, layout = _laid_out(tokenizer, "", "", bool(suffix))
        told = []
        fixed = len(layout([], []))
    left = room - fixed
    if left < 1:
        raise UserError(f"there is room for {max(room, 0):,} tokens, too few for any prompt", "ask for fewer tokens")
    before = tokenizer.encode(prompt[-left * _LONGEST :])
    after = tokenizer.encode(suffix[: left * _LONGEST])
    for_suffix = min(len(after), max(left // _SUFFIX_SHARE, left - len(before)))
    for_prefix = min(len(before), left - for_suffix)
    return layout(
        told + _without_torn_start(tokenizer, before[len(before) - for_prefix :]),
        _without_torn_end(tokenizer, after[:for_suffix]),
    )


def _laid_out(tokenizer: Tokenizer, path: str, repo_name: str, fill: bool) -> tuple[str, _Layout]:
    """The text to put before the prefix (encoded with it, as in training), and where everything goes."""
    markers = tokenizer.markers
    head = f"{path}\n" if path else ""
    if markers is None or not (fill or head):
        return head, lambda prefix, _: prefix
    lead = _lead(tokenizer, markers, repo_name) if head else []
    if not fill:
        return head, lambda prefix, _: lead + prefix
    if not markers.path_in_prefix:
        lead += tokenizer.encode(head)
        head = ""
    if markers.order == "psm":
        return head, lambda prefix, suffix: [
            *lead,
            markers.prefix,
            *prefix,
            markers.suffix,
            *suffix,
            markers.middle,
        ]
    return head, lambda prefix, suffix: [*lead, markers.suffix, *suffix, markers.prefix, *prefix, markers.middle]


def _lead(tokenizer: Tokenizer, markers: Markers, repo_name: str) -> list[int]:
    """What opens a document that tells repository and path."""
    lead = []
    if repo_name and markers.repo_name is not None:
        lead = [markers.repo_name, *tokenizer.encode(repo_name + markers.after_repo_name)]
    return lead if markers.file_sep is None else [*lead, markers.file_sep]


def _without_torn_start(tokenizer: Tokenizer, ids: list[int]) -> list[int]:
    """`ids` without a first character of which only the end is left."""
    while ids and (tokenizer.token_bytes(ids[0])[:1] or b"\0")[0] & 0xC0 == 0x80:  # a continuation byte of UTF-8
        ids = ids[1:]
    return ids


def _without_torn_end(tokenizer: Tokenizer, ids: list[int]) -> list[int]:
    """`ids` without a last character of which only the start is left."""
    while ids and _torn(b"".join(tokenizer.token_bytes(number) for number in ids[-4:])):
        ids = ids[:-1]
    return ids


def _torn(data: bytes) -> bool:
    """Whether the bytes end inside a character."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0xC0:  # a first byte: how many follow stands in it
            return back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4)
        if byte < 0x80:
            return False
    return False

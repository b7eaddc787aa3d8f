"""A completion asked for and answered, and the interface of whatever answers. Nothing here needs torch.

Commands and the server's dialects only translate into a `Request` and out of a `Completion`: the prompt is put together
in `tokens.prompt`, its limits are checked here, both once.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from starloom.errors import UserError

FinishReason = Literal["stop", "length"]

MOST_STOPS: Final = 16
MOST_STOP_CHARACTERS: Final = 1_000  # of one stop string: it is what may have to be held back from a reader
MOST_TEMPERATURE: Final = 100.0


@dataclass(frozen=True)
class Request:
    """One completion. Raises UserError for values that mean nothing.

    `prompt` is text up to the cursor; as a tuple it is token ids, taken as they are. With `suffix` (the text after the
    cursor) the model fills in the middle; an empty one is no suffix. `fit` cuts a prompt that is longer than the
    model's window at its far ends, else it is refused. `path` and `repo_name` go before the prompt where the model was
    trained with them.
    """

    prompt: str | tuple[int, ...]
    suffix: str | None = None
    path: str = ""
    repo_name: str = ""
    max_tokens: int = 64
    temperature: float = 0.2  # 0: always the likeliest token
    top_p: float = 0.95  # tokens are drawn from the likeliest ones that together have this probability
    stop: tuple[str, ...] = ()  # the text ends before the first of these
    seed: int | None = None  # None: another one for each request
    fit: bool = False

    def __post_init__(self) -> None:
        if not self.prompt and not self.suffix:
            raise UserError("the prompt is empty", "give some code to go on from, or to put something before")
        if self.max_tokens < 1:
            raise UserError(f"max_tokens is {self.max_tokens}", "ask for 1 token or more")
        if not 0 <= self.temperature <= MOST_TEMPERATURE:  # false for NaN too
            raise UserError(
                f"temperature is {self.temperature:g}",
                f"from 0 (always the likeliest token) to {MOST_TEMPERATURE:g}; 0.2 is usual for code",
            )
        if not 0 < self.top_p <= 1:
            raise UserError(f"top_p is {self.top_p:g}", "above 0, at most 1 (1: all tokens)")
        if len(self.stop) > MOST_STOPS:
            raise UserError(f"{len(self.stop)} stop strings", f"at most {MOST_STOPS}")
        if any(not 0 < len(one) <= MOST_STOP_CHARACTERS for one in self.stop):
            raise UserError("a stop string is empty or too long", f"each has 1 to {MOST_STOP_CHARACTERS:,} characters")
        if self.seed is not None and not -(2**63) <= self.seed < 2**64:
            raise UserError(f"seed is {self.seed}", "a whole number of 64 bits")
        if isinstance(self.prompt, tuple) and self.suffix:
            raise UserError("a suffix with a prompt of token ids", "give both as text")


@dataclass(frozen=True)
class Piece:
    """What one more token added to the text: often nothing, while part of a character or of a stop string is out.

    The last piece alone has a `finish_reason`: `stop` (the model or a stop string ended it) or `length`.
    """

    text: str
    finish_reason: FinishReason | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0  # so far
    truncated: bool = False  # the prompt was cut to fit


@dataclass(frozen=True)
class Completion:
    """A whole answer; counts are in tokens of the model."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    truncated: bool


class Completer(Protocol):
    """Any model that completes. One instance may be asked by several threads."""

    @property
    def name(self) -> str:
        """What the model is called."""

    def stream(self, request: Request) -> Generator[Piece, None, None]:
        """The answer piece by piece, one for each token at least. Closing the generator stops the work.

        Raises UserError at its first step: a prompt that is too long, a suffix that the model cannot use.
        """

    def complete(self, request: Request) -> Completion:
        """The whole answer. Raises UserError as `stream` does."""


def gathered(pieces: Iterable[Piece]) -> Completion:
    """The pieces of one answer, all of them, as one."""
    texts = []
    last = Piece("")
    for last in pieces:
        texts.append(last.text)
    assert last.finish_reason, "a stream ends with its reason"
    return Completion("".join(texts), last.finish_reason, last.prompt_tokens, last.completion_tokens, last.truncated)

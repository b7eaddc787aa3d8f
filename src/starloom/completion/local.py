"""A model in this process: any folder with `config.json`, safetensors and a tokenizer.

One request at a time: others wait for the lock. First token: one pass over what of the prompt was not read for one of
the last few requests; each further one: one step, or less where the text repeats itself (`decode`). The text is decoded
token by token (`completion.text`). Several requests given together are answered together, `MOST_ROWS` at a time.

Token healing: a prompt that ends in blanks would begin the answer in the middle of what the tokenizer makes one token
("    return" is blanks and " return"). The blanks are held back from the prompt, and the first tokens must spell them.
"""

import contextlib
import random
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

import torch

from starloom.completion.request import Completion, FinishReason, Piece, Request, gathered
from starloom.completion.text import ShownText
from starloom.errors import UserError
from starloom.starcoder2 import decode
from starloom.starcoder2.open import CausalModel, Own, open_model, whole_model
from starloom.starcoder2.prefixes import Prefixes
from starloom.tokens import prompt as prompts
from starloom.tokens.tokenizer import Tokenizer

MOST_ROWS: Final = 16  # answers in one batch: each has a cache of its own

_BLANKS = " \t\r\n"
_SMALL = 64 << 20  # bytes of weights; see `_threads`
_LEAST_SHARE = 0.9  # of a model's rows that its tokenizer knows: the rest is padding (Phi-2: 905 of 51,200)


class LocalCompleter:
    """A Completer over a model and its tokenizer."""

    def __init__(self, name: str, model: CausalModel, tokenizer: Tokenizer, threads: int | None = None) -> None:
        """`threads`: of the model's steps on a CPU; None: as many as PyTorch is set to."""
        self.name = name
        self.context = model.context  # tokens of prompt and answer together
        self.fills_in_the_middle = tokenizer.markers is not None
        self._model = model
        self._tokenizer = tokenizer
        self._threads = threads
        self._lock = threading.Lock()
        self._prefixes = Prefixes(model)

    @classmethod
    def open(cls, folder: Path, name: str | None = None, dtype: str | None = None) -> "LocalCompleter":
        """The model of a folder; called `name`, else as the folder (or the run that it is of) is called.

        dtype: of the weights, as `float32`, `bfloat16`; None: float32 on a CPU, bfloat16 on a GPU.
        Raises UserError: no such folder, no model or tokenizer in it, damaged, or not made for each other.
        """
        if not folder.is_dir():
            raise UserError(
                f"{folder} is no folder", "give a folder with config.json, model.safetensors, tokenizer.json"
            )
        tokenizer = Tokenizer.open(folder)  # first: it is quick, a model may take a minute
        model = open_model(folder, dtype=getattr(torch, dtype) if dtype else None)
        least = int(model.vocabulary * _LEAST_SHARE)
        if not least <= tokenizer.vocabulary <= model.vocabulary:
            raise UserError(
                f"{folder} holds a model of another vocabulary: {model.vocabulary:,} tokens, its tokenizer.json has "
                f"{tokenizer.vocabulary:,}",
                "put the tokenizer.json there that the model was trained with",
            )
        small = sum(path.stat().st_size for path in whole_model(folder).glob("*.safetensors")) < _SMALL
        return cls(name or _name(folder), model, tokenizer, threads=1 if small else None)

    def complete(self, request: Request) -> Completion:
        """The whole answer."""
        return gathered(self.stream(request))

    def complete_batch(self, requests: Sequence[Request]) -> list[Completion]:
        """The whole answers in order, each what `complete` would give; several at once where the model can."""
        if not isinstance(self._model, Own) or len(requests) < 2:
            return [self.complete(request) for request in requests]
        answers = [_Answer(request, *self._prompt(request), self.context) for request in requests]
        with self._lock, _threads(self._threads):
            for at in range(0, len(answers), MOST_ROWS):
                self._answer_rows(self._model, answers[at : at + MOST_ROWS])
        return [gathered(answer.pieces) for answer in answers]

    def stream(self, request: Request) -> Generator[Piece, None, None]:
        """The answer, one piece for each token. Closing the generator stops the model before its next step."""
        answer = _Answer(request, *self._prompt(request), self.context)
        with (
            self._lock,
            _threads(self._threads),
            contextlib.closing(
                decode.generate(
                    self._model,
                    answer.ids,
                    max_tokens=answer.limit,
                    temperature=request.temperature,
                    top_p=request.top_p,
                    seed=_seed(request),
                    stops=self._tokenizer.stops,
                    forced=answer.held,
                    token_bytes=self._tokenizer.token_bytes,
                    prefixes=self._prefixes,
                )
            ) as tokens,
        ):
            for token in tokens:
                # None for a row that only pads the model's vocabulary.
                yield (piece := answer.feed(self._tokenizer.token_bytes(token)))
                if piece.finish_reason:
                    return
            yield answer.end()

    def _answer_rows(self, model: Own, answers: "list[_Answer]") -> None:
        """All pieces of all `answers`."""
        ended: set[int] = set()
        rows = decode.generate_rows(
            model,
            [answer.ids for answer in answers],
            [
                decode.Chooser(
                    decode.Sampler(answer.request.temperature, answer.request.top_p, _seed(answer.request)),
                    model.vocabulary,
                    self._tokenizer.stops,
                    answer.held,
                    self._tokenizer.token_bytes,
                )
                for answer in answers
            ],
            [answer.limit for answer in answers],
            ended=ended,
            prefixes=self._prefixes,
        )
        for row, token in rows:
            answer = answers[row]
            piece = answer.end() if token is None else answer.feed(self._tokenizer.token_bytes(token))
            answer.pieces.append(piece)
            if piece.finish_reason:
                ended.add(row)

    def _prompt(self, request: Request) -> tuple[prompts.Prompt, bytes]:
        """The prompt's ids, and the blanks at its end that the answer must begin with. Raises UserError."""
        if isinstance(request.prompt, tuple):
            return self._given(request.prompt), b""
        if request.suffix and not self.fills_in_the_middle:
            raise UserError(
                f"a suffix is given, and {self.name} has no fill-in-the-middle tokens",
                "ask without a suffix, or take a model that was trained to fill in the middle",
            )
        text = request.prompt.rstrip(_BLANKS)
        if not text and not request.suffix:
            text = request.prompt  # nothing to hold them back from
        least = min(request.max_tokens, self.context // 2) if request.fit else 1  # that the answer gets
        prompt = prompts.build(
            self._tokenizer,
            text,
            request.suffix or None,
            path=request.path,
            repo_name=request.repo_name,
            room=self.context - least,
            fit=request.fit,
        )
        return prompt, request.prompt[len(text) :].encode()

    def _given(self, ids: tuple[int, ...]) -> prompts.Prompt:
        """A prompt of token ids, checked."""
        if bad := next((one for one in ids if not 0 <= one < self._tokenizer.vocabulary), None):
            raise UserError(
                f"token id {bad} is not in the vocabulary of {self.name}",
                f"ids run from 0 to {self._tokenizer.vocabulary - 1:,}",
            )
        if len(ids) >= self.context:
            raise UserError(
                f"the prompt has {len(ids):,} tokens, and the window of {self.name} is {self.context:,}",
                f"give at most {self.context - 1:,} tokens",
            )
        return prompts.Prompt(list(ids), truncated=False)


class _Answer:
    """One request's answer in the making: bytes of tokens in, pieces of text out."""

    def __init__(self, request: Request, prompt: prompts.Prompt, held: bytes, context: int) -> None:
        """`held`: the blanks at the prompt's end that the model must say again."""
        self.request = request
        self.ids = list(prompt.ids)
        self.held = held
        self.pieces: list[Piece] = []  # of an answer that is made with others
        room = context - len(self.ids)
        self.limit = min(request.max_tokens + len(held), room)  # a token that only repeats blanks repeats one or more
        self._most = min(request.max_tokens, room)  # tokens that add to the text
        self._truncated = prompt.truncated
        self._shown = ShownText(request.stop, skip=len(held))
        self._drawn = self._count = 0

    def feed(self, data: bytes) -> Piece:
        """What one more token adds; its reason is set when it is the last."""
        self._drawn += 1
        self._count += len(data) > self._shown.skip
        text = self._shown.feed(data)
        if self._shown.stopped:
            return self._piece(text, "stop")
        if self._count == self._most or self._drawn == self.limit:
            return self._piece(text + self._shown.end(), "length")
        return self._piece(text)

    def end(self) -> Piece:
        """The last piece, when the model ended its answer."""
        return self._piece(self._shown.end(), "stop")

    def _piece(self, text: str, reason: FinishReason | None = None) -> Piece:
        return Piece(text, reason, len(self.ids), self._count, self._truncated)


def _seed(request: Request) -> int:
    return random.SystemRandom().getrandbits(32) if request.seed is None else request.seed


@contextlib.contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """PyTorch's threads while a model answers. Those of a small model wait for each other longer than they work: with
    3 million parameters, two threads on two cores with other load took 254 ms a token, one thread 5."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _name(folder: Path) -> str:
    """`models/RUN/model` is called RUN, anything else as its folder."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == "model" else folder.name

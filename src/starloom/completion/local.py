"""A model in this process: any folder with `config.json`, safetensors and a tokenizer.

One request at a time: others wait for the lock. Each answer starts from an empty cache. First token: one pass over the
prompt; each further one: one step. The text is decoded token by token (`completion.text`).

Token healing: a prompt that ends in blanks would begin the answer in the middle of what the tokenizer makes one token
("    return" is blanks and " return"). The blanks are held back from the prompt, and the first tokens must spell them.
"""

import contextlib
import random
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import torch

from starloom.completion.request import Completion, FinishReason, Piece, Request, gathered
from starloom.completion.text import ShownText
from starloom.errors import UserError
from starloom.starcoder2 import decode
from starloom.starcoder2.open import CausalModel, open_model
from starloom.tokens import prompt as prompts
from starloom.tokens.tokenizer import Tokenizer

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

    @classmethod
    def open(cls, folder: Path, name: str | None = None) -> "LocalCompleter":
        """The model of a folder; called `name`, else as the folder (or the run that it is of) is called.

        Raises UserError: no such folder, no model or tokenizer in it, damaged, or not made for each other.
        """
        if not folder.is_dir():
            raise UserError(
                f"{folder} is no folder", "give a folder with config.json, model.safetensors, tokenizer.json"
            )
        tokenizer = Tokenizer.open(folder)  # first: it is quick, a model may take a minute
        model = open_model(folder)
        least = int(model.vocabulary * _LEAST_SHARE)
        if not least <= tokenizer.vocabulary <= model.vocabulary:
            raise UserError(
                f"{folder} holds a model of another vocabulary: {model.vocabulary:,} tokens, its tokenizer.json has "
                f"{tokenizer.vocabulary:,}",
                "put the tokenizer.json there that the model was trained with",
            )
        small = sum(path.stat().st_size for path in folder.glob("*.safetensors")) < _SMALL
        return cls(name or _name(folder), model, tokenizer, threads=1 if small else None)

    def complete(self, request: Request) -> Completion:
        """The whole answer."""
        return gathered(self.stream(request))

    def stream(self, request: Request) -> Generator[Piece, None, None]:
        """The answer, one piece for each token. Closing the generator stops the model before its next step."""
        prompt, held = self._prompt(request)
        room = self.context - len(prompt.ids)
        most = min(request.max_tokens, room)  # tokens that add to the text
        drawn = count = 0

        def piece(text: str, reason: FinishReason | None = None) -> Piece:
            return Piece(text, reason, len(prompt.ids), count, prompt.truncated)

        shown = ShownText(request.stop, skip=len(held))
        limit = min(request.max_tokens + len(held), room)  # each token that only repeats blanks repeats one or more
        with (
            self._lock,
            _threads(self._threads),
            contextlib.closing(
                decode.generate(
                    self._model,
                    list(prompt.ids),
                    max_tokens=limit,
                    temperature=request.temperature,
                    top_p=request.top_p,
                    seed=random.SystemRandom().getrandbits(32) if request.seed is None else request.seed,
                    stops=self._tokenizer.stops,
                    forced=held,
                    token_bytes=self._tokenizer.token_bytes,
                )
            ) as tokens,
        ):
            for token in tokens:
                data = self._tokenizer.token_bytes(token)  # none for a row that only pads the model's vocabulary
                drawn += 1
                count += len(data) > shown.skip
                text = shown.feed(data)
                if shown.stopped:
                    yield piece(text, "stop")
                    return
                if count == most or drawn == limit:
                    yield piece(text + shown.end(), "length")
                    return
                yield piece(text)
            yield piece(shown.end(), "stop")

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

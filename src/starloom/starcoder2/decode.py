"""From a prompt to tokens, one after the other: greedy or sampled, the same for every CausalModel.

Sampling is reproducible: one number drawn for each token from a generator with the given seed, on the CPU, in float64.
Cost beside the model's step, at 49,152 tokens: well below a millisecond. A generator that is closed computes no more.

Two things save steps and change no answer, but where rounding decides between two tokens (seldom in float32; in
bfloat16 equal logits are common): what was read for an earlier prompt is not read again (`prefixes`), and tokens that
the text itself suggests are read in one step with the one before (`lookup`): each is kept only if it is the one that
the sampler takes there, with the same number drawn.
"""

import functools
import math
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from typing import Final, Literal, cast

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.starcoder2.cache import Cache
from starloom.starcoder2.lookup import Lookup
from starloom.starcoder2.open import CausalModel, Own
from starloom.starcoder2.prefixes import Prefixes

_COLDEST: Final = 1e-20  # temperatures below it are it: greedy, and no division by what float32 takes for 0
_LIKELY: Final = 256  # tokens looked at first for a nucleus; rarely are more needed, and sorting all costs milliseconds

TokenBytes = Callable[[int], bytes]


def generate(
    model: CausalModel,
    prompt: Sequence[int],
    *,
    max_tokens: int,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    stops: frozenset[int] = frozenset(),
    forced: bytes = b"",
    token_bytes: TokenBytes | None = None,
    prefixes: Prefixes | None = None,
    guess: bool = True,
) -> Generator[int, None, Literal["stop", "length"]]:
    """The tokens after `prompt`. Ends before a token of `stops` ("stop"), or after `max_tokens` tokens or at the end
    of the model's context ("length"); which of the two is the generator's return value.

    temperature: 0 takes the likeliest token each time. top_p: samples from the fewest tokens of that much probability.
    forced: the bytes that the answer must begin with (token healing): until they are used up only tokens are taken that
    begin with what is left of them, or that they begin with; it needs `token_bytes`, and takes no token of `stops`.
    prefixes: what the model read before, and where this text is put. guess: whether tokens may be guessed, where the
    model says that it pays.
    Raises UserError for an empty prompt, one longer than the context, an id or a number out of bounds.
    """
    check(model, prompt)
    chooser = Chooser(Sampler(temperature, top_p, seed), model.vocabulary, stops, forced, token_bytes)
    return _tokens(model, list(prompt), max_tokens, chooser, prefixes or Prefixes(model), guess and model.guesses)


def generate_rows(
    model: Own,
    prompts: Sequence[Sequence[int]],
    choosers: Sequence["Chooser"],
    max_tokens: Sequence[int],
    *,
    ended: Container[int] = (),
    prefixes: Prefixes | None = None,
) -> Iterator[tuple[int, int | None]]:
    """Several answers at once, a step for all: (number of the prompt, its next token or None for a stop).

    A prompt's answer ends as `generate` ends it, and when its number is in `ended`, which the caller may fill. Prompts
    are read one after the other, what they share once. Raises UserError as `generate`.
    """
    for prompt in prompts:
        check(model, prompt)
    return _rows(model, [list(one) for one in prompts], choosers, max_tokens, ended, prefixes or Prefixes(model))


def check(model: CausalModel, prompt: Sequence[int]) -> None:
    """Raises UserError for an empty prompt, one longer than the context, an id that is not in the vocabulary."""
    if not prompt:
        raise UserError("the prompt has no tokens", "give some text to continue")
    if len(prompt) > model.context:
        raise UserError(
            f"the prompt has {len(prompt):,} tokens, the model's context {model.context:,}", "shorten the prompt"
        )
    if not 0 <= min(prompt) <= max(prompt) < model.vocabulary:
        raise UserError(
            f"the prompt's token ids run from {min(prompt):,} to {max(prompt):,}, "
            f"the model's from 0 to {model.vocabulary - 1:,}",
            "take the tokenizer that belongs to the model",
        )


def _tokens(
    model: CausalModel, prompt: list[int], max_tokens: int, chooser: "Chooser", prefixes: Prefixes, guesses: bool
) -> Generator[int, None, Literal["stop", "length"]]:
    left = min(max_tokens, model.context - len(prompt))
    if left <= 0:
        return "length"
    reading = prefixes.take(prompt)
    try:
        logits = reading.read(prompt[len(reading.ids) :])  # [1, V]
        lookup = Lookup(prompt) if guesses and reading.cut(len(prompt)) else None
        guess: list[int] = []
        while True:
            right = 0  # tokens of the guess that are those chosen
            for line in logits:
                if (token := chooser.choose(line)) is None:
                    return "stop"
                yield token
                left -= 1
                if lookup:
                    lookup.append(token)
                if right == len(guess) or token != guess[right]:
                    chosen = token
                    break
                right += 1
            if not left:
                return "length"
            if lookup:
                if wrong := len(guess) - right:
                    reading.cut(len(reading.ids) - wrong)
                lookup.judge(len(guess), right)
                guess = lookup.guess(left - 1)
            logits = reading.read([chosen, *guess], len(guess) + 1)
    finally:
        prefixes.put(reading)


def _rows(
    model: Own,
    prompts: list[list[int]],
    choosers: Sequence["Chooser"],
    max_tokens: Sequence[int],
    ended: Container[int],
    prefixes: Prefixes,
) -> Iterator[tuple[int, int | None]]:
    left = [min(most, model.context - len(prompt)) for most, prompt in zip(max_tokens, prompts, strict=True)]
    going = [row for row, tokens in enumerate(left) if tokens > 0]
    lines: list[Tensor] = []
    caches: list[Cache] = []
    for row in going:
        reading = prefixes.take(prompts[row])
        lines.append(reading.read(prompts[row][len(reading.ids) :])[0])
        caches.append(cast(Cache, reading.cache).copy())
        prefixes.put(reading)
    if not going:
        return
    cache = Cache.join(caches)
    caches.clear()
    while True:
        chosen = []
        for row, line in zip(going, lines, strict=True):
            chosen.append(choosers[row].choose(line))
            yield row, chosen[-1]
            left[row] -= 1
        on = [at for at, row in enumerate(going) if chosen[at] is not None and left[row] and row not in ended]
        if not on:
            return
        if len(on) < len(going):
            cache.keep(on)
        going = [going[at] for at in on]
        lines = list(model.step_rows([token for at in on if (token := chosen[at]) is not None], cache))


class Chooser:
    """Which token comes next in one answer: the sampler's, of those that the forced bytes allow."""

    def __init__(
        self,
        sampler: "Sampler",
        vocabulary: int,
        stops: frozenset[int] = frozenset(),
        forced: bytes = b"",
        token_bytes: TokenBytes | None = None,
    ) -> None:
        """As `generate` has them. `vocabulary`: rows of the model's head."""
        if forced and token_bytes is None:
            raise ValueError("forced bytes need token_bytes")
        self._sampler = sampler
        self._vocabulary = vocabulary
        self._stops = stops
        self._forced = forced
        self._token_bytes = token_bytes

    def choose(self, logits: Tensor) -> int | None:
        """The next token after logits [V]; None for a stop. Raises UserError: damaged weights, nothing is allowed."""
        if self._forced and self._token_bytes is not None:
            allowed = _compatible(self._forced, self._token_bytes, self._vocabulary, self._stops)
            token = allowed[self._sampler.pick(logits[allowed])]
            self._forced = self._forced[len(self._token_bytes(token)) :]
        else:
            token = self._sampler.pick(logits)
        return None if token in self._stops else token


class Sampler:
    """Picks tokens; the same seed and the same logits give the same picks.

    Raises UserError for a temperature or a top_p out of bounds.
    """

    def __init__(self, temperature: float, top_p: float, seed: int) -> None:
        if not 0 <= temperature < math.inf:
            raise UserError(f"temperature is {temperature}", "take 0 (always the likeliest token) or more")
        if not 0 < top_p <= 1:
            raise UserError(f"top_p is {top_p}", "take a number above 0 and up to 1 (all tokens)")
        self._temperature = temperature
        self._top_p = top_p
        self._random = torch.Generator().manual_seed(seed & (2**63 - 1))

    def pick(self, logits: Tensor) -> int:
        """The number of a row of `logits` [V]. Raises UserError when they are no numbers: the weights are damaged."""
        best = int(logits.argmax())  # a NaN counts as the highest
        if not math.isfinite(highest := float(logits[best])):
            raise UserError(f"the model computes {highest}: its weights are damaged", "take another checkpoint")
        if self._temperature == 0:
            return best
        weights = ((logits.float().cpu() - highest) / max(self._temperature, _COLDEST)).exp()  # [V], the likeliest 1
        if self._top_p < 1:
            ids, up_to = self._nucleus(weights)
        else:
            ids, up_to = None, weights.double().cumsum(0)
        drawn = torch.rand((), dtype=torch.float64, generator=self._random) * up_to[-1]
        place = min(int(torch.searchsorted(up_to, drawn, right=True)), len(up_to) - 1)
        return place if ids is None else int(ids[place])

    def _nucleus(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The fewest tokens with a share of top_p, likeliest first: their numbers, and their weights added up."""
        enough = self._top_p * float(weights.sum(dtype=torch.float64))
        for most in (min(_LIKELY, len(weights)), len(weights)):
            values, ids = weights.topk(most)
            up_to = values.double().cumsum(0)
            if up_to[-1] >= enough:
                break
        size = int(torch.searchsorted(up_to, enough)) + 1  # the first that reaches it belongs to it
        return ids[:size], up_to[:size]


def _compatible(forced: bytes, token_bytes: TokenBytes, vocabulary: int, without: frozenset[int]) -> list[int]:
    """Tokens that begin with `forced`, or that it begins with. Raises UserError when there is none."""
    found = [
        number
        for number, data in enumerate(_table(token_bytes, vocabulary))
        if data and (data.startswith(forced) or forced.startswith(data)) and number not in without
    ]
    if not found:
        raise UserError(
            f"no token of the model can begin with {forced[:20]!r}", "end the prompt before these characters"
        )
    return found


@functools.lru_cache(maxsize=4)
def _table(token_bytes: TokenBytes, vocabulary: int) -> list[bytes]:
    """The bytes of every token: asked for once per tokenizer, not once per answer."""
    return [token_bytes(number) for number in range(vocabulary)]

"""From a prompt to tokens, one after the other: greedy or sampled, the same for every CausalModel.

Sampling is reproducible: one number drawn for each token from a generator with the given seed, on the CPU, in float64.
Cost beside the model's step, at 49,152 tokens: well below a millisecond. A generator that is closed computes no more.
"""

import functools
import math
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, Literal

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.starcoder2.open import CausalModel

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
) -> Generator[int, None, Literal["stop", "length"]]:
    """The tokens after `prompt`. Ends before a token of `stops` ("stop"), or after `max_tokens` tokens or at the end
    of the model's context ("length"); which of the two is the generator's return value.

    temperature: 0 takes the likeliest token each time. top_p: samples from the fewest tokens of that much probability.
    forced: the bytes that the answer must begin with (token healing): until they are used up only tokens are taken that
    begin with what is left of them, or that they begin with; it needs `token_bytes`, and takes no token of `stops`.
    Raises UserError for an empty prompt, one longer than the context, an id or a number out of bounds.
    """
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
    if not 0 <= temperature < math.inf:
        raise UserError(f"temperature is {temperature}", "take 0 (always the likeliest token) or more")
    if not 0 < top_p <= 1:
        raise UserError(f"top_p is {top_p}", "take a number above 0 and up to 1 (all tokens)")
    if forced and token_bytes is None:
        raise ValueError("forced bytes need token_bytes")
    return _tokens(model, list(prompt), max_tokens, Sampler(temperature, top_p, seed), stops, forced, token_bytes)


def _tokens(
    model: CausalModel,
    ids: list[int],
    max_tokens: int,
    sampler: "Sampler",
    stops: frozenset[int],
    forced: bytes,
    token_bytes: TokenBytes | None,
) -> Generator[int, None, Literal["stop", "length"]]:
    cache: Any = None
    for _ in range(min(max_tokens, model.context - len(ids))):
        logits, cache = model.step(torch.tensor([ids]), cache)
        if forced and token_bytes is not None:
            allowed = _compatible(forced, token_bytes, model.vocabulary, stops)
            token = allowed[sampler.pick(logits[allowed])]
            forced = forced[len(token_bytes(token)) :]
        else:
            token = sampler.pick(logits)
        if token in stops:
            return "stop"
        yield token
        ids = [token]
    return "length"


class Sampler:
    """Picks tokens; the same seed and the same logits give the same picks."""

    def __init__(self, temperature: float, top_p: float, seed: int) -> None:
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

"""Generation at 28 million parameters beside transformers' `generate`: one thread, float32, greedy, the same weights.

Weights are random: what a model says costs the same whatever it is, but for prompt lookup, which lives on text that
repeats itself. That is measured with real code: the model is computed as always, and then made to say the next token of
a file of Python's library, as a perfect model would.
"""

import statistics
import sysconfig
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from starloom.starcoder2.decode import Chooser, Sampler, generate, generate_rows
from starloom.starcoder2.network import StarCoder2
from starloom.starcoder2.open import Own
from starloom.starcoder2.prefixes import Prefixes
from starloom.tokens import byte_pairs
from training.step import SHAPE

PROMPT, ANSWER = 256, 128  # tokens
LONG: Final = 2048  # tokens of a long prompt
NEW: Final = 16  # of them new in an editor's next request
ROWS: Final = 8
FILES: Final = (
    *("argparse.py", "ast.py", "configparser.py", "csv.py"),
    *("heapq.py", "shutil.py", "textwrap.py", "tarfile.py"),
)
_VOCABULARY: Final = 8192  # of the tokenizer that cuts these files

Turn = Callable[[], list[list[int]]]


def measure(repetitions: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    ours, theirs = _pair()
    random = torch.Generator().manual_seed(1)
    prompts = torch.randint(0, SHAPE.vocab_size, (ROWS, PROMPT), generator=random)
    long = torch.randint(0, SHAPE.vocab_size, (1, LONG), generator=random)
    found: dict[str, Any] = {
        "parameters": SHAPE.parameters(),
        "versions": {name: version(name) for name in ("torch", "transformers")},
        "repetitions": repetitions,
    }
    found["one answer"] = _compare(
        lambda: [list(generate(ours, prompts[0].tolist(), max_tokens=ANSWER, guess=False))],
        lambda: _theirs(theirs, prompts[:1], ANSWER),
        repetitions,
    )
    found["several answers"] = _compare(
        lambda: _rows(ours, prompts),
        lambda: _theirs(theirs, prompts, ANSWER),
        max(1, repetitions // 2),
    )
    found["first token"] = _compare(
        lambda: [list(generate(ours, long[0].tolist(), max_tokens=1))],
        lambda: _theirs(theirs, long, 1),
        max(1, repetitions // 2),
    )
    found["prefix"] = _prefix(ours, long[0].tolist(), repetitions)
    found["prompt lookup"] = _lookup(ours)
    return found


def _pair() -> tuple[Own, Any]:
    """Ours, laid out as `open_model` does, and transformers' model with equal weights."""
    from transformers import Starcoder2Config, Starcoder2ForCausalLM

    torch.manual_seed(0)
    network = StarCoder2(SHAPE)
    theirs = Starcoder2ForCausalLM._from_config(Starcoder2Config.from_dict(SHAPE.to_json()), attn_implementation="sdpa")
    theirs.load_state_dict(network.state_dict(), strict=False)  # all but the head, which is the embedding
    return Own(network, pack=True), theirs.eval()


def _theirs(model: Any, prompts: Tensor, tokens: int) -> list[list[int]]:
    with torch.inference_mode():
        made = model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
    found: list[list[int]] = made[:, prompts.shape[1] :].tolist()
    return found


def _rows(model: Own, prompts: Tensor) -> list[list[int]]:
    choosers = [Chooser(Sampler(0.0, 1.0, 0), model.vocabulary) for _ in prompts]
    found: list[list[int]] = [[] for _ in prompts]
    for row, token in generate_rows(model, prompts.tolist(), choosers, [ANSWER] * len(prompts)):
        if token is not None:
            found[row].append(token)
    return found


def _compare(ours: Turn, theirs: Turn, repetitions: int) -> dict[str, Any]:
    """CPU seconds of both in turns, after one that is not counted; `ratio` of their tokens a second."""
    seconds: dict[str, list[float]] = {"starloom": [], "transformers": []}
    said: list[list[list[int]]] = []
    for turn in range(repetitions + 1):
        for name, side in (("starloom", ours), ("transformers", theirs)):
            start = time.process_time()
            said.append(side())
            if turn:
                seconds[name].append(time.process_time() - start)
    tokens = sum(map(len, said[0]))
    pairs = [theirs / ours for ours, theirs in zip(seconds["starloom"], seconds["transformers"], strict=True)]
    return {
        "tokens": tokens,
        "equal tokens": sum(
            ours == theirs
            for mine, other in zip(said[0], said[1], strict=True)
            for ours, theirs in zip(mine, other, strict=True)
        ),
        "tokens a second": {name: tokens / statistics.median(spent) for name, spent in seconds.items()},
        "ratio": statistics.median(pairs),
        "ratios": [min(pairs), max(pairs)],
    }


def _prefix(model: Own, prompt: list[int], repetitions: int) -> dict[str, Any]:
    """A prompt whose last tokens are new, after one that began like it: CPU seconds to the first token."""
    fresh, again = [], []
    equal = True
    for _ in range(repetitions):
        prefixes = Prefixes(model)
        list(generate(model, [*prompt[:-NEW], *range(NEW)], max_tokens=ANSWER, prefixes=prefixes))
        said = []
        for kept, seconds in ((prefixes, again), (Prefixes(model), fresh)):
            start = time.process_time()
            said.append(list(generate(model, prompt, max_tokens=1, prefixes=kept)))
            seconds.append(time.process_time() - start)
        equal = equal and said[0] == said[1]
    return {
        "seconds": {"fresh": statistics.median(fresh), "reused": statistics.median(again)},
        "ratio": statistics.median(one / other for one, other in zip(again, fresh, strict=True)),
        "equal": equal,
    }


class _Told:
    """A model that is computed, and then says what stands in a text."""

    guesses = True

    def __init__(self, model: Own, text: list[int]) -> None:
        self._model = model
        self._text = text
        self.vocabulary, self.context, self.model_type = model.vocabulary, model.context, model.model_type
        self.logits, self.cut = model.logits, model.cut
        self.steps = 0

    def step(self, ids: Tensor, cache: Any | None, last: int = 1) -> tuple[Tensor, Any]:
        self.steps += 1
        logits, cache = self._model.step(ids, cache, last)
        said = torch.zeros_like(logits)
        for row, place in enumerate(range(cache.length - last, cache.length)):
            if place + 1 < len(self._text):
                said[row, self._text[place + 1]] = 1.0
        return said, cache


def _lookup(model: Own) -> dict[str, Any]:
    """Answers of real code with and without guesses: CPU seconds, and tokens a step."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    texts = {name: (folder / name).read_text() for name in FILES}
    tokenizer = byte_pairs.learn([list(texts.values())], _VOCABULARY)
    seconds: dict[bool, float] = {True: 0.0, False: 0.0}
    steps = tokens = 0
    equal = True
    for text in texts.values():
        ids = tokenizer.encode(text, add_special_tokens=False).ids[: LONG + ANSWER]
        said = []
        for guess in (False, True):
            told = _Told(model, ids)
            start = time.process_time()
            said.append(list(generate(told, ids[:-ANSWER], max_tokens=ANSWER, guess=guess)))
            seconds[guess] += time.process_time() - start
            # The prompt costs the same on both sides; it is taken away so that decoding is what is compared.
            begun = time.process_time()
            list(generate(_Told(model, ids), ids[:-ANSWER], max_tokens=1, guess=guess))
            seconds[guess] -= time.process_time() - begun
        steps += told.steps - 1
        tokens += len(said[0]) - 1
        equal = equal and said[0] == said[1] == ids[-ANSWER:]
    return {
        "files": list(FILES),
        "tokens": tokens,
        "tokens a step": tokens / steps,
        "seconds": {"one by one": seconds[False], "guessed": seconds[True]},
        "speedup": seconds[False] / seconds[True],
        "equal": equal,
    }


def table(found: dict[str, Any]) -> str:
    lines = [
        f"{found['parameters']:,} parameters, vocabulary {SHAPE.vocab_size:,}, float32, one thread, greedy, random "
        f"weights; torch {found['versions']['torch']}, transformers {found['versions']['transformers']} (`generate`, "
        f"its default cache). CPU time, in turns, median of {found['repetitions']} pairs or half as many.",
        "",
        "| | tokens a second, starloom | transformers | ratio | equal tokens |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, said in (
        ("one answer", f"{ANSWER} tokens after {PROMPT}"),
        ("several answers", f"{ROWS} at once, {ANSWER} tokens each after {PROMPT}"),
        ("first token", f"the first token after {LONG:,}"),
    ):
        one = found[name]
        speeds = one["tokens a second"]
        lines.append(
            f"| {said} | {speeds['starloom']:.1f} | {speeds['transformers']:.1f} | **{one['ratio']:.2f}** "
            f"({one['ratios'][0]:.2f} to {one['ratios'][1]:.2f}) | {one['equal tokens']} of {one['tokens']} |"
        )
    prefix, lookup = found["prefix"], found["prompt lookup"]
    lines += [
        "",
        f"A prompt of {LONG:,} tokens, {NEW} of them new, after one that began like it: "
        f"{prefix['seconds']['reused']:.3f} s to the first token instead of {prefix['seconds']['fresh']:.3f} "
        f"(**{prefix['ratio']:.3f}**); the same token: {'yes' if prefix['equal'] else 'no'}.",
        "",
        f"Prompt lookup, a model made to say what stands in {len(lookup['files'])} files of Python's library "
        f"({lookup['tokens']:,} tokens in all, after up to {LONG:,} of each): {lookup['tokens a step']:.2f} tokens a "
        f"step, {lookup['seconds']['guessed']:.2f} s instead of {lookup['seconds']['one by one']:.2f} "
        f"(**{lookup['speedup']:.2f}x**); the same tokens: {'yes' if lookup['equal'] else 'no'}.",
    ]
    return "\n".join(lines)

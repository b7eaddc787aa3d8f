"""Fast encoding: tiktoken in the place of Hugging Face's encoder, where its ids are the same. About 10x the speed.

For the tokenizers that `byte_pairs` trains, and StarCoder2's. That the ids are the same:

- The pieces. Hugging Face splits every digit off and applies GPT-2's pattern to what is left; a run of spaces before a
  digit is there the end of a text. PATTERN says both in one. A `\\s` that its first whitespace branch leaves is alone:
  a longer run without its last character is followed by whitespace, which that branch takes.
- The characters. Both libraries have the classes of their own version of Unicode: a text with a character that Python's
  does not know goes to Hugging Face. All code points are compared in a test.
- The merges. tiktoken joins the two neighbours whose union has the least id, Hugging Face the two of the least merge.
  `_ranks` checks that the union of merge n has the n-th id, none twice, and that every token's own text encodes to it.
  Then the same state is met on both ways: before a token is made, its bytes are in two parts that no merge crossed, and
  a text without crossing merges has only one such state.

Besides, a share of the texts is encoded by both (`Fast.encode_batch`); the first difference ends the use of tiktoken.
"""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.random import keyed_unit
from starloom.progress import say
from starloom.tokens.byte_pairs import byte_characters

CHECKED: Final = 0.01  # share of the texts that Hugging Face encodes too: a tenth of the time

# What Digits splits off, as the newest Unicode known to Rust has it; the regular expressions are one version behind.
_DIGIT: Final = r"\p{N}\x{11DE0}-\x{11DE9}\x{16FF4}-\x{16FF6}"
# The branches that need no looking ahead stand together: the library then runs them as one automaton (2x).
PATTERN: Final = (
    rf"(?: ?\p{{L}}+|[{_DIGIT}]|'(?:[sdmt]|ll|ve|re)| ?[^\s\p{{L}}{_DIGIT}]+)|\s+(?:(?=[{_DIGIT}])|(?!\S))|\s"
)

_PRE_TOKENIZER: Final = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    ],
}
_MODEL: Final = {  # what else could change an encoding
    "type": "BPE",
    "dropout": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "byte_fallback": False,
    "ignore_merges": False,
}


class Fast:
    """Encodes as `own`, a `tokenizers.Tokenizer`, does."""

    def __init__(self, own: Any, core: Any) -> None:
        self._own, self._core = own, core
        self.trusted = True  # False after the first difference: then everything is left to `own`

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text (without halves of surrogate pairs)."""
        if not self.trusted:
            return self._slowly(texts)
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # the library works without Python's lock
            found = list(threads.map(self._one, texts))
        drawn = [number for number, text in enumerate(texts) if keyed_unit(0, "encoding check", text) < CHECKED]
        if self._slowly([texts[number] for number in drawn]) == [found[number] for number in drawn]:
            return found
        self.trusted = False
        say(
            "warning: tiktoken and tokenizers give different ids for the same text. From here on tokenizers alone "
            "encodes; please report this with the versions of both"
        )
        return self._slowly(texts)

    def _one(self, text: str) -> list[int]:
        if not text.isascii() and _unknown(text):
            return list(self._own.encode(text, add_special_tokens=False).ids)
        return list(self._core.encode_ordinary(text))

    def _slowly(self, texts: Sequence[str]) -> list[list[int]]:
        return [one.ids for one in self._own.encode_batch(list(texts), add_special_tokens=False)]


def fast(own: Any, table: Mapping[str, Any]) -> Fast | None:
    """A fast encoder for `own`, whose tokenizer.json is `table` as the library writes it; None where the ids might
    differ, or tiktoken is not installed. Costs about a second for 49,152 tokens."""
    try:
        from tiktoken import Encoding
    except ImportError:
        return None
    ranks = _ranks(own, table)
    if ranks is None:
        return None
    return Fast(own, Encoding("starloom", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}))


def _ranks(own: Any, table: Mapping[str, Any]) -> dict[bytes, int] | None:
    """The id of each token's bytes; None when the encodings might differ."""
    model = table["model"]
    plain = table["pre_tokenizer"] == _PRE_TOKENIZER and table["normalizer"] is None
    if not plain or any(model.get(key) != value for key, value in _MODEL.items()):
        return None
    added = {one["content"] for one in table["added_tokens"]}
    if not all(one["special"] for one in table["added_tokens"]):
        return None
    characters = byte_characters()
    tokens = {token: number for token, number in model["vocab"].items() if token not in added}
    made = [tokens.get(left + right, -1) for left, right in model["merges"]]
    if any(second <= first for first, second in pairwise(made)):
        return None
    single = {tokens.get(character, -1) for character in characters}
    if len(single) != 256 or not single.isdisjoint(made) or set(tokens.values()) != single.union(made):
        return None
    if any([one.id for one in own.model.tokenize(token)] != [number] for token, number in tokens.items()):
        return None
    return {bytes(characters[one] for one in token): number for token, number in tokens.items()}


def _unknown(text: str) -> bool:
    """Whether the text has a character that Python's Unicode does not know."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    return bool(_unassigned()[points].any())


@cache
def _unassigned() -> NDArray[np.bool_]:
    """By code point. 0.2 s, once."""
    return np.fromiter((unicodedata.category(chr(point)) == "Cn" for point in range(0x110000)), np.bool_, 0x110000)

"""Fast encoding: a kernel in the place of Hugging Face's encoder, where its ids are the same. 55x the speed of one of
its threads.

For the tokenizers that `byte_pairs` trains, StarCoder2's, and all others of their shape. That the ids are the same:

- The pre-tokens. Hugging Face splits every number off and applies GPT-2's pattern to what is left; a run of spaces
  before a number is there the end of a text. `kernels.pretokens` does both at once, and says why that can be.
- The characters. Both have the classes of their own version of Unicode: a text with a character that Unicode 14 does
  not know goes to Hugging Face. All others are compared, in every surrounding, in a test.
- The merges. Hugging Face does the first merge that is possible, at its leftmost place, and looks again. The kernel
  does it at all its places before it looks again: that comes to the same where a merge's token takes part in later
  merges only, which `Merges.of` sees to. Nothing else makes ids: every byte has one, no token is looked up whole.
- What is special. `encode_special_tokens` makes special tokens text; a tokenizer with added tokens that are not
  special is left alone.

What could not be proven is checked: a share of the texts is encoded by both, and the first difference ends the use of
the kernel (`Fast.encode_arrays`). bench/tokens.py compares every file of a gigabyte of code.
"""

import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from starloom.kernels.random import keyed_units
from starloom.kernels.text import Int64s, UInt32s
from starloom.progress import say
from starloom.tokens.byte_pairs import byte_characters

if TYPE_CHECKING:
    from starloom.kernels.byte_pairs import Encoder, Merges

CHECKED: Final = 0.01  # share of the texts that Hugging Face encodes too: nearly half of the time
_SEEN: Final = 128  # characters at either end of a text by which it is drawn

_PRE_TOKENIZER: Final = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    ],
}
# Of the model, what else could change an encoding: absent, empty or false.
_UNUSED: Final = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges")


class Fast:
    """Encodes as `own`, a `tokenizers.Tokenizer`, does. One thread encodes, the others wait."""

    def __init__(self, own: Any, encoder: "Encoder") -> None:
        from starloom.kernels.byte_pairs import PADDING  # here: Numba is not for those who only open a tokenizer

        self._own, self._encoder, self._padding = own, encoder, bytes(PADDING)
        self._turn = threading.Lock()
        self.trusted = True  # False after the first difference: then everything is left to `own`

    def encode_arrays(self, texts: Sequence[str]) -> tuple[UInt32s, Int64s]:
        """(ids uint32[n], bounds int64[len(texts) + 1]): text i has ids[bounds[i] : bounds[i + 1]]. Memory: nine bytes
        for each byte of text; a megabyte or more at a time is fastest."""
        if not self.trusted:
            return joined(self._slowly(texts))
        try:
            encoded = [text.encode() for text in texts]
        except UnicodeEncodeError:
            return self.encode_arrays([whole(text) for text in texts])
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(one) for one in encoded], out=offsets[1:])
        data = np.frombuffer(b"".join([*encoded, self._padding]), dtype=np.uint8)
        with self._turn:
            found = self._encoder.encode(offsets, data)
        drawn = keyed_units(0, "encoding check", (text[:_SEEN] + text[-_SEEN:] for text in texts)) < CHECKED
        places = np.flatnonzero(drawn | ~found.done).tolist()
        right = dict(zip(places, self._slowly([texts[place] for place in places]), strict=True))
        for place in places:
            start, stop = found.bounds[place : place + 2]
            if found.done[place] and found.ids[start:stop].tolist() != right[place]:
                self.trusted = False
                say(
                    "warning: Starloom's encoder and tokenizers give different ids for the same text. From here on "
                    "tokenizers alone encodes, which takes 60 times as long; please report this with the versions of "
                    "both"
                )
                return joined(self._slowly(texts))
        if found.done.all():
            return found.ids, found.bounds
        pairs = itertools.pairwise(found.bounds.tolist())
        return joined([right.get(place, found.ids[start:stop]) for place, (start, stop) in enumerate(pairs)])

    def _slowly(self, texts: Sequence[str]) -> list[list[int]]:
        some = [whole(text) for text in texts]
        return [one.ids for one in self._own.encode_batch(some, add_special_tokens=False)]


def whole(text: str) -> str:
    """`text` without halves of surrogate pairs, which no encoding has: each becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def joined(rows: Sequence[Sequence[int] | UInt32s]) -> tuple[UInt32s, Int64s]:
    """Ids of many texts as two arrays, as `Fast.encode_arrays` has them."""
    bounds = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=bounds[1:])
    ids = np.empty(bounds[-1], dtype=np.uint32)
    for row, (start, stop) in zip(rows, itertools.pairwise(bounds.tolist()), strict=True):
        ids[start:stop] = row
    return ids, bounds


def fast(own: Any, table: Mapping[str, Any]) -> Fast | None:
    """A fast encoder for `own`, whose tokenizer.json is `table` as the library writes it; None where the ids might
    differ. Costs 0.1 s for 49,152 tokens, and Numba's start where nothing else has used a kernel."""
    from starloom.kernels.byte_pairs import Encoder

    merges = _merges(table)
    return Fast(own, Encoder(merges)) if merges else None


def _merges(table: Mapping[str, Any]) -> "Merges | None":
    """The merges as the kernel takes them; None when the encodings might differ."""
    from starloom.kernels.byte_pairs import Merges

    model = table["model"]
    if table["pre_tokenizer"] != _PRE_TOKENIZER or table["normalizer"] or model["type"] != "BPE":
        return None
    if any(model.get(key) for key in _UNUSED) or not all(one["special"] for one in table["added_tokens"]):
        return None
    added = {one["content"] for one in table["added_tokens"]}
    tokens = {token: number for token, number in model["vocab"].items() if token not in added}
    of_byte = np.zeros(256, dtype=np.uint32)
    try:
        for character, byte in byte_characters().items():
            of_byte[byte] = tokens[character]
        rows = [(tokens[left], tokens[right], tokens[left + right]) for left, right in model["merges"]]
    except KeyError:
        return None
    left, right, made = np.array(rows, dtype=np.uint32).reshape(-1, 3).T
    return Merges.of(of_byte, left, right, made)

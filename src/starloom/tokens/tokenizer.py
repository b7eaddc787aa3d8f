"""Text to ids and back: any Hugging Face tokenizer.json.

Ordinary text never becomes a special token: a file that holds `<fim_prefix>` is encoded as these twelve characters.
Special tokens are set by their ids (special_tokens.Markers), by whoever lays out a document or a prompt.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.kernels.text import Int64s, UInt32s
from starloom.tokens import byte_pairs, hub_format, redacted, special_tokens
from starloom.tokens.fast_encoder import Fast, fast, joined, whole
from starloom.tokens.hub_format import CONFIG, FILE
from starloom.tokens.special_tokens import Markers

_MOST: Final = 1 << 24  # ids; the largest vocabularies have 300,000 tokens


class Tokenizer:
    """Text to ids and back, over `tokenizers.Tokenizer`. Ids run from 0 to `vocabulary` - 1, added tokens included.

    `decode(encode(text)) == text`, but for tokenizers (none of ours) that have a normaliser or are not byte-level:
    there decoding gives what those leave of a text.
    """

    vocabulary: int
    sha256: str  # of the bytes of tokenizer.json: which tokenizer this is
    markers: Markers | None  # None: it has no tokens for fill-in-the-middle
    added: frozenset[int]  # its tokens that are no part of the vocabulary that was learnt
    special: Mapping[str, int]  # those of them that are special, by their spelling
    marked: Mapping[str, int]  # of these, its tokens for what is private
    end_of_text: int  # -1: it has none

    def __init__(self, files: Mapping[str, bytes], where: str, needs_end: bool = True) -> None:
        """`files`: tokenizer.json and, where there are any, its companions, by name; `where`: for errors; `needs_end`:
        whether one without a token that ends a text is refused."""
        data = files[FILE]
        table = hub_format.parsed(data, where)
        self._files = dict(files)
        self._own = hub_format.library(table, where)
        self.sha256 = hashlib.sha256(data).hexdigest()
        added = {str(one["content"]): int(one["id"]) for one in table.get("added_tokens") or ()}
        numbers = [*self._own.get_vocab(with_added_tokens=True).values(), *added.values()]
        self.vocabulary = max(numbers, default=-1) + 1
        if not 0 < self.vocabulary <= _MOST:
            raise UserError(f"{where} has ids up to {self.vocabulary - 1}", f"take one with 1 to {_MOST:,} tokens")
        self.special = {one["content"]: one["id"] for one in table.get("added_tokens") or () if one["special"]}
        named = hub_format.named_end(files)
        end = special_tokens.find_end_of_text(added, named)
        if end is None and needs_end:
            raise UserError(
                f"{where} has no token that ends a text",
                f"name one of its added tokens as `eos_token` in a {CONFIG} beside it",
            )
        self.end_of_text = end = -1 if end is None else end
        self.marked = {one: self.special[one] for one in special_tokens.REDACTED if one in self.special}
        ends = {number for token, number in self.special.items() if token not in special_tokens.REDACTED}
        self.markers = special_tokens.find_markers(added, end, frozenset(ends))
        self.stops = self.markers.stops if self.markers else frozenset(ends | {end})
        self._added = {number: token for token, number in added.items()}
        self.added = frozenset(self._added)
        self._byte_level = hub_format.is_byte_level(table)
        self._refuse_confusion(where)

    @classmethod
    def open(cls, folder: Path, needs_end: bool = True) -> "Tokenizer":
        """The tokenizer of `folder`: a workspace's, or any model's as the Hub has them. Raises UserError when there is
        none, or it is damaged."""
        return cls(hub_format.read_files(folder), str(folder / FILE), needs_end)

    def encode(self, text: str) -> list[int]:
        """The ids of `text`, none of them special. Half a surrogate pair, which no encoding has, becomes U+FFFD."""
        found: list[int] = self._own.encode(whole(text), add_special_tokens=False).ids
        return found

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` of each text, by the fast encoder where its ids are the same (fast_encoder.py)."""
        ids, bounds = self.encode_arrays(texts)
        return [ids[start:stop].tolist() for start, stop in pairwise(bounds.tolist())]

    def encode_arrays(self, texts: Sequence[str]) -> tuple[UInt32s, Int64s]:
        """`encode` of all texts as (ids uint32[n], bounds int64[len(texts) + 1]): those of text i are ids[bounds[i] :
        bounds[i + 1]]. Cost: 60 MB/s where the fast encoder serves (one thread; a megabyte or more at a time)."""
        if self._fast:
            return self._fast.encode_arrays(texts)
        some = [whole(text) for text in texts]
        return joined([one.ids for one in self._own.encode_batch(some, add_special_tokens=False)])

    @property
    def trusted(self) -> bool:
        """False once the fast encoder gave other ids than the library: then what was encoded before that is doubtful
        too, and `distrust` lets a new run go by the library alone."""
        return not self._fast or self._fast.trusted

    def distrust(self) -> None:
        """From here on the library alone encodes: 60 times the time."""
        if self._fast:
            self._fast.trusted = False

    def encode_parts(self, texts: Sequence[redacted.Parts]) -> list[list[int]]:
        """The ids of texts in parts: what is a token already, stays."""
        ids = iter(self.encode_batch([one for text in texts for one in text if isinstance(one, str)]))
        return [[id for one in text for id in (next(ids) if isinstance(one, str) else [one])] for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, special tokens as they are spelled; bytes that are no UTF-8 become U+FFFD."""
        if self._byte_level:
            return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")
        return str(self._own.decode([number for number in ids if number < self.vocabulary], skip_special_tokens=False))

    def token_bytes(self, number: int) -> bytes:
        """The bytes of one token, which may be part of a character; of a special token those of its spelling. None for
        a number that no token has: a model may have more rows than its tokenizer ids."""
        return self._bytes[number] if 0 <= number < self.vocabulary else b""

    def files(self) -> dict[str, bytes]:
        """What a Hugging Face model folder needs of it, by file name."""
        return dict(self._files)

    @cached_property
    def _fast(self) -> Fast | None:
        return fast(self._own, json.loads(self._own.to_str()))

    @cached_property
    def _bytes(self) -> list[bytes]:
        characters = byte_pairs.byte_characters()
        found = [b""] * self.vocabulary
        for token, number in self._own.get_vocab(with_added_tokens=True).items():
            if number in self._added:
                found[number] = self._added[number].encode()
            elif self._byte_level:
                found[number] = bytes(characters[one] for one in token)
            else:
                found[number] = hub_format.spelled(token)
        return found

    def _refuse_confusion(self, where: str) -> None:
        """Raises UserError when the spelling of a special token, as text, gives that token."""
        numbers = set(self.special.values())
        for token in self.special:
            if not numbers.isdisjoint(self.encode(token)):
                raise UserError(
                    f"{where} cannot tell the text {token!r} from the token: files could forge special tokens",
                    "take another tokenizer",
                )

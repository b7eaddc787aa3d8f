"""The tokenizer: any Hugging Face tokenizer.json, and the stage that trains one or takes one.

Ordinary text never becomes a special token: a file that holds `<fim_prefix>` is encoded as these twelve characters.
Special tokens are set by their ids (special_tokens.Markers), by whoever lays out a document or a prompt.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64s
from starloom.settings import as_json
from starloom.the_stack import tables
from starloom.tokens import byte_pairs, hub_format, redacted, special_tokens
from starloom.tokens.fast_encoder import Fast, fast
from starloom.tokens.hub_format import CONFIG, FILE, FOLDER
from starloom.tokens.special_tokens import Markers
from starloom.workspace.stage import Done, Job, Stage

VERSION = 2
_MEASURED: Final = 4_000_000  # bytes of text on which bytes per token are measured
_ROWS: Final = 256  # files read at a time


@dataclass(frozen=True)
class TokenizerSettings:
    """`[tokenizer]`."""

    vocabulary: int = 49_152  # tokens, special ones included; StarCoder2's
    base: str = ""  # a folder with a tokenizer.json to take instead of training one
    sample_bytes: int = 200_000_000  # of the train split, drawn at random in whole files
    seed: int = 0  # of that drawing

    def __post_init__(self) -> None:
        if self.vocabulary < byte_pairs.LEAST:
            raise UserError(
                f"[tokenizer] vocabulary = {self.vocabulary} is too small",
                f"at least {byte_pairs.LEAST}: the special tokens and the bytes",
            )
        if self.sample_bytes < 1:
            raise UserError(f"[tokenizer] sample_bytes = {self.sample_bytes} is no amount", "a number above 0")


class Tokenizer:
    """Text to ids and back, over `tokenizers.Tokenizer`. Ids run from 0 to `vocabulary` - 1, added tokens included.

    `decode(encode(text)) == text`, but for tokenizers (none of ours) that have a normaliser or are not byte-level:
    there decoding gives what those leave of a text.
    """

    vocabulary: int
    sha256: str  # of the bytes of tokenizer.json: which tokenizer this is
    markers: Markers | None  # None: it has no tokens for fill-in-the-middle
    marked: Mapping[str, int]  # its tokens for what is private, by their spelling
    end_of_text: int

    def __init__(self, files: Mapping[str, bytes], where: str) -> None:
        """`files`: tokenizer.json and, where there are any, its companions, by name; `where`: for errors."""
        data = files[FILE]
        table = hub_format.parsed(data, where)
        self._files = dict(files)
        self._own = hub_format.library(table, where)
        self.sha256 = hashlib.sha256(data).hexdigest()
        added = {str(one["content"]): int(one["id"]) for one in table.get("added_tokens") or ()}
        self.vocabulary = max([*self._own.get_vocab(with_added_tokens=True).values(), *added.values()]) + 1
        self._special = {one["content"]: one["id"] for one in table.get("added_tokens") or () if one["special"]}
        named = hub_format.named_end(files)
        end = special_tokens.find_end_of_text(added, named)
        if end is None:
            raise UserError(
                f"{where} has no token that ends a text",
                f"name one of its added tokens as `eos_token` in a {CONFIG} beside it",
            )
        self.end_of_text = end
        self.marked = {one: self._special[one] for one in special_tokens.REDACTED if one in self._special}
        ends = {number for token, number in self._special.items() if token not in special_tokens.REDACTED}
        self.markers = special_tokens.find_markers(added, end, frozenset(ends))
        self.stops = self.markers.stops if self.markers else frozenset(ends | {end})
        self._added = {number: token for token, number in added.items()}
        self._byte_level = hub_format.is_byte_level(table)
        self._refuse_confusion(where)

    @classmethod
    def open(cls, folder: Path) -> "Tokenizer":
        """The tokenizer of `folder`: a workspace's, or any model's as the Hub has them. Raises UserError when there is
        none, or it is damaged."""
        return cls(hub_format.read_files(folder), str(folder / FILE))

    def encode(self, text: str) -> list[int]:
        """The ids of `text`, none of them special. Half a surrogate pair, which no encoding has, becomes U+FFFD."""
        found: list[int] = self._own.encode(_whole(text), add_special_tokens=False).ids
        return found

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` of each text, on all cores; by tiktoken where its ids are the same (fast_encoder.py)."""
        whole = [_whole(text) for text in texts]
        if self._fast:
            return self._fast.encode_batch(whole)
        return [one.ids for one in self._own.encode_batch(whole, add_special_tokens=False)]

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
        numbers = set(self._special.values())
        for token in self._special:
            if not numbers.isdisjoint(self.encode(token)):
                raise UserError(
                    f"{where} cannot tell the text {token!r} from the token: files could forge special tokens",
                    "take another tokenizer",
                )


def _whole(text: str) -> str:
    """`text` without halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


# The stage


def _run(job: Job) -> Done:
    settings: TokenizerSettings = job.settings.tokenizer
    if settings.base:
        files, learnt, number = hub_format.read_files(_base(job)), 0, 0
        where = str(_base(job) / FILE)
    else:
        files, learnt, number = _trained(job.root, settings)
        where = str(job.folder / FILE)
    tokenizer = Tokenizer(files, where)
    split, rate = _bytes_per_token(job.root, tokenizer, settings.seed)
    with job.publish() as draft:
        for name, data in files.items():
            draft.write(name, data)
        draft.facts = {
            "vocabulary": tokenizer.vocabulary,
            "tokenizer": tokenizer.sha256,
            "trained_files": number,
            "trained_bytes": learnt,
            "measured_on": split,
            "bytes_per_token": rate,
        }
    return Done(learnt, f"{tokenizer.vocabulary:,} tokens, {rate:.2f} bytes each")


def _trained(root: Path, settings: TokenizerSettings) -> tuple[dict[str, bytes], int, int]:
    """The files of a new tokenizer; the bytes and the number of files it was trained on."""
    seen = [0, 0]

    def texts(task: progress.Task) -> Iterator[list[str]]:
        for batch in sample(root, "train", settings.sample_bytes, settings.seed):
            some = [one for parts in batch for one in parts if isinstance(one, str)]  # a marker is no text to learn
            size = sum(len(one.encode()) for one in some)
            seen[0], seen[1] = seen[0] + size, seen[1] + len(batch)
            task.advance(size)
            yield some

    hub_format.installed()
    total = min(settings.sample_bytes, _total(root, "train"))
    with progress.task("learning tokens", total) as task:
        found = byte_pairs.learn(texts(task), settings.vocabulary)
    came_out = found.get_vocab_size()
    if came_out < settings.vocabulary:
        raise UserError(
            f"[tokenizer] vocabulary = {settings.vocabulary}, but {seen[1]:,} files ({seen[0]:,} bytes) of the train "
            f"split give only {came_out} tokens",
            f"set `vocabulary = {came_out}` or less in section [tokenizer] of starloom.toml, or run "
            f"`starloom tokenizer --vocabulary {came_out}`; or build a larger dataset",
        )
    data = str(found.to_str(pretty=True)).encode()
    return {FILE: data, **hub_format.companions()}, seen[0], seen[1]


def sample(
    root: Path, split: str, size: int, seed: int, tokens: Mapping[str, int] = special_tokens.SPECIAL_IDS
) -> Iterator[list[redacted.Parts]]:
    """Batches of the texts of about `size` bytes of one split: whole files, drawn by their content, in the dataset's
    order; what was replaced by a marker that `tokens` has is that token. At least one, where there are any."""
    paths = tables.dataset(root, "files", split)
    ids, lengths = _column(paths, "content_id"), np.array(_column(paths, "length_bytes"), dtype=np.int64)
    order = np.argsort(keyed_uint64s(seed, "tokenizer sample", ids), kind="stable")
    before = np.cumsum(lengths[order]) - lengths[order]
    chosen = np.zeros(len(ids), dtype=np.bool_)
    chosen[order[before < size]] = True
    row = 0
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS, columns=["content", redacted.COLUMN]):
                wanted = chosen[row : row + batch.num_rows]
                row += batch.num_rows
                if wanted.any():
                    some = batch.filter(pa.array(wanted))
                    texts = zip(some.column("content").to_pylist(), redacted.noted(some), strict=True)
                    yield [redacted.parts(text, redacted.markers(text, noted, tokens)) for text, noted in texts]


def _column(paths: list[Path], name: str) -> list[Any]:
    return [value for path in paths for value in pq.read_table(path, columns=[name]).column(0).to_pylist()]


def _total(root: Path, split: str) -> int:
    return int(sum(_column(tables.dataset(root, "files", split), "length_bytes")))


def _bytes_per_token(root: Path, tokenizer: Tokenizer, seed: int) -> tuple[str, float]:
    """Measured on held-out text, which no tokenizer was trained on; on the train split where there is none."""
    for split in ("held_out", "train"):
        size = tokens = 0
        for batch in sample(root, split, _MEASURED, seed, tokenizer.marked):
            size += sum(len(one.encode()) for parts in batch for one in parts if isinstance(one, str))
            tokens += sum(map(len, tokenizer.encode_parts(batch)))
        if tokens:
            return split, round(size / tokens, 4)
    return "nothing", 0.0


def _base(job: Job) -> Path:
    """The folder that `base` names: relative to the workspace; the home folder's ~ is known."""
    given = Path(job.settings.tokenizer.base).expanduser()
    if not (job.root / given).is_dir():
        raise UserError(f"{given} is no folder", hub_format.remedy(given))
    return job.root / given


def _settings(settings: Any) -> Any:
    """Of a tokenizer that is taken, nothing but its files matters: those are looked at outside."""
    chosen: TokenizerSettings = settings.tokenizer
    return {"base": True, "seed": chosen.seed} if chosen.base else as_json(chosen)


def _outside(job: Job) -> Mapping[str, str]:
    if not job.settings.tokenizer.base:
        return {}
    files = hub_format.read_files(_base(job))
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}


STAGE = Stage(
    name="tokenizer",
    folder=FOLDER,
    version=VERSION,
    reads=(tables.DATASET,),
    settings=_settings,
    run=_run,
    outside=_outside,
)

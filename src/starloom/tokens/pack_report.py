"""What packed tokens are, in numbers: how much, what was drawn, and what each way of packing would waste and cut.

The shares are counted in the tokens themselves, by their markers, which no text can forge: beside the settings they say
whether the draws did what they were told. Cost: 0.15 billion tokens a second; of a stream over `most` tokens whole
documents are looked at, evenly spread, and the number of them is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.tokens.packed import Packed, Shards
from starloom.tokens.packing import METHODS, Counts, Method, packing_of
from starloom.tokens.shards import stream_name
from starloom.tokens.special_tokens import Markers
from starloom.tokens.templates.repository import METADATA_RATE
from starloom.tokens.tokenizer import Tokenizer

SEQUENCES: Final = (2_048, 4_096, 16_384)  # of which the packings are shown: StarCoder2's two stages, and a small one
MOST: Final = 1 << 28  # tokens that are looked at
_CHUNK: Final = 1 << 20

_Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Seen:
    """What the documents that were looked at hold, `tokens` together. A file that is empty is none here."""

    tokens: int
    documents: int
    files: int
    named_documents: int  # that tell the repository's name, and paths
    cut_documents: int  # that have any file cut for fill-in-the-middle
    cut_files: int
    suffix_first: int  # of the files cut; some have an empty prefix instead, which looks the same
    marked: dict[str, int]  # tokens in the place of something private, by their spelling

    def shares(self) -> dict[str, float | None]:
        """As settings have them: None where nothing could be drawn, or (imported) files are unknown."""

        def share(some: int, all_: int) -> float | None:
            return round(some / all_, 4) if some <= all_ > 0 else None

        return {
            "metadata": share(self.named_documents, self.documents),
            "cut_documents": share(self.cut_documents, self.documents),
            "cut_files": share(self.cut_files, self.files),
            "suffix_first": share(self.suffix_first, self.cut_files),
        }


def pack_report(packed: Packed, tokenizer: Tokenizer | None, sequences: Sequence[int] = SEQUENCES) -> dict[str, Any]:
    """All of it, as JSON. Without the `tokenizer` that made them, markers are unknown and `seen` is null; packings are
    those of the first variant.

    Raises UserError for a damaged shard, or where a method cannot pack into a sequence.
    """
    found = []
    for source in packed.sources:
        for variant in range(packed.variants):
            stream = packed.stream(source, variant)
            told = packed.facts["streams"][stream_name(source, variant)]
            if "text_bytes" not in told and len(packed.sources) == packed.variants == 1:
                told = packed.facts
            text = told.get("text_bytes")
            about: dict[str, Any] = {
                "source": source,
                "variant": variant,
                "tokens": stream.tokens,
                "documents": stream.documents,
                "files": len(stream.piece_starts),
                "text_bytes": text,
                "bytes_per_token": round(text / stream.tokens, 4) if text and stream.tokens else None,
                "laid_out": told.get("seen"),  # as `pack` counted: syntax too, which no marker tells
                "seen": None,
            }
            if tokenizer and tokenizer.markers:
                seen = look(stream, tokenizer.markers, tokenizer.marked)
                about["seen"] = asdict(seen) | {"shares": seen.shares()}
            if variant == 0:
                about["packings"] = [packing(stream, sequence, method) for sequence in sequences for method in METHODS]
            found.append(about)
    names = ("repository_rate", "file_rate", "spm_rate", "syntax_rate")
    drawn = {name: packed.facts[name] for name in names if name in packed.facts}
    return {
        "folder": packed.place,
        "fingerprint": packed.fingerprint,
        "tokenizer": packed.tokenizer,
        "vocabulary": packed.vocabulary,
        "dtype": packed.dtype.name,
        "tokens": packed.tokens,
        "bytes": packed.bytes,
        "variants": packed.variants,
        "imported": packed.facts.get("imported"),
        "no_repositories": packed.facts.get("no_repositories") or [],  # sources of the mixture to which none belongs
        "settings": drawn | {"metadata_rate": METADATA_RATE} if drawn else None,
        "streams": found,
    }


def look(stream: Shards, markers: Markers, marked: Mapping[str, int], most: int = MOST) -> Seen:
    """What the markers in a stream say. Raises UserError for a damaged shard."""
    step = max(-(-stream.tokens // most), 1)
    documents = np.arange(0, stream.documents, step)
    firsts, ends = stream.starts[documents], stream.starts[documents + 1]
    known = [one for one in (markers.repo_name, markers.prefix, markers.suffix, markers.middle) if one is not None]
    wanted = np.zeros(stream.vocabulary, dtype=np.bool_)
    wanted[[*known, *marked.values()]] = True
    places, tokens = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    with progress.task("look at the tokens", int((ends - firsts).sum()), "tokens") as bar:
        for start, stop in _stretches(firsts, ends):
            chunk = stream.read(start, stop)
            hits = np.flatnonzero(wanted[chunk])
            places.append(hits + start)
            tokens.append(chunk[hits])
            bar.advance(len(chunk))
    place, token = np.concatenate(places), np.concatenate(tokens)
    cuts = place[token == markers.middle]  # one a file, whatever the order
    before = (token[:-1] == markers.prefix) & (token[1:] == markers.suffix) & (np.diff(place) == 1)
    inside = np.searchsorted(stream.piece_starts, np.concatenate([firsts, ends])).reshape(2, -1)
    return Seen(
        tokens=int((ends - firsts).sum()),
        documents=len(documents),
        files=int((inside[1] - inside[0]).sum()),
        named_documents=int(np.count_nonzero(token == markers.repo_name)) if markers.repo_name is not None else 0,
        cut_documents=int(np.count_nonzero(np.diff(np.searchsorted(stream.starts, cuts, side="right"), prepend=0))),
        cut_files=len(cuts),
        suffix_first=len(cuts) if markers.order == "spm" else int(np.count_nonzero(before)),
        marked={name: int(np.count_nonzero(token == number)) for name, number in marked.items()},
    )


def packing(stream: Shards, sequence: int, method: Method) -> dict[str, Any]:
    """What `method` makes of a stream: rows, and what it wastes and cuts; shares of tokens, documents and files."""
    about = {"sequence": sequence, "method": method}
    if method == "concatenate" and stream.tokens <= sequence:  # not one row: no error for somebody who looks
        return about | asdict(Counts(0, 0, 0, stream.tokens, 0, 0, 0.0, 0.0))
    return about | asdict(packing_of(stream, method, sequence).counts)


def _stretches(firsts: _Int64s, ends: _Int64s) -> Iterator[tuple[int, int]]:
    """The documents, neighbours together, in stretches of at most _CHUNK tokens."""
    alone = np.flatnonzero(firsts[1:] != ends[:-1])
    for first, end in zip(firsts[np.append(0, alone + 1)].tolist(), ends[np.append(alone, -1)].tolist(), strict=True):
        for start in range(first, end, _CHUNK):
            yield start, min(start + _CHUNK, end)

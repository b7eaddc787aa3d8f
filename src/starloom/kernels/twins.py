"""The kernels again in plain Python, a hundred times slower: what they mean, and what the tests hold them to.

Nothing else calls these.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_64 = (1 << 64) - 1
_SEEDS = (0x629A292A367CD507, 0x9159015A3070DD17)
_TOKENS = (0x6A09E667F3BCC909, 0xBB67AE8584CAA73B)
_STREAMS = (0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1)
_RUN = 0x8EB44A8768581511
_PLACES = (0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179, 0xCBBB9D5DC1059ED9)


class Lines(NamedTuple):
    """`lines.LineStatistics` of one file, not rounded."""

    num_lines: int
    max_line_length: int
    avg_line_length: float
    characters: int
    alpha_fraction: float
    alphanum_fraction: float


def lines(text: str) -> Lines:
    """Twin of `lines.line_statistics`."""
    parts = text.split("\n")
    if parts[-1] == "":
        parts.pop()
    lengths = [len(part.removesuffix("\r")) for part in parts]
    whole = max(len(text), 1)
    return Lines(
        num_lines=len(lengths),
        max_line_length=max(lengths, default=0),
        avg_line_length=sum(lengths) / max(len(lengths), 1),
        characters=len(text),
        alpha_fraction=sum(one.isalpha() for one in text) / whole,
        alphanum_fraction=sum(one.isalnum() for one in text) / whole,
    )


def tokens(text: str, tokenisation: str = "words") -> list[str]:
    """The tokens of each tokenisation of `shingles`."""
    if tokenisation == "bigcode-v2":
        return re.split(r"\W", text.lower())
    return re.findall(r"\w+", text.lower() if tokenisation == "text-dedup" else "".join(one.lower() for one in text))


def mix(h: int) -> int:
    """Twin of `decoding.mix`."""
    h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCD & _64
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53 & _64
    return h ^ (h >> 33)


def token_hash(token: str, which: int = 0) -> int:
    """One of the two hashes of a token, before mixing."""
    h = _SEEDS[which]
    for one in token:
        h = (h ^ ord(one)) * _TOKENS[which] & _64
    return h


def stream(text: str, tokenisation: str = "words") -> tuple[int, int]:
    """Twin of the stream hash of `shingles.token_counts_and_stream_hash`."""
    found = list(_SEEDS)
    run = 0  # empty tokens in a row
    for token in tokens(text, tokenisation):
        if token:
            for which in (0, 1):
                h = token_hash(token, which) + run * _RUN
                found[which] = mix((found[which] ^ h & _64) * _STREAMS[which] & _64)
        run = 0 if token else run + 1
    if run:
        for which in (0, 1):
            h = _SEEDS[which] + run * _RUN
            found[which] = mix((found[which] ^ h & _64) * _STREAMS[which] & _64)
    return found[0], found[1]


def shingles(text: str, tokenisation: str = "words") -> list[int]:
    """Twin of `shingles.shingle_sets`, which sorts these and keeps one of each."""
    hashes = [mix(token_hash(token)) for token in tokens(text, tokenisation)]
    windows = zip(*(hashes[k:] for k in range(len(_PLACES))))
    return [mix(sum(h * place for h, place in zip(window, _PLACES)) & _64) for window in windows]


def signature(found: Sequence[int], a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Twin of `minhash.signatures`, of one file's shingles."""
    if not found:
        return [0xFFFFFFFF] * len(a)
    return [min(((x >> 32) ^ mask) * factor & 0xFFFFFFFF for x in found) for factor, mask in zip(a, b)]


def band_hashes(values: Sequence[int], bands: int, rows: int) -> list[int]:
    """Twin of `minhash.band_hashes`, of one signature."""
    found = []
    for band in range(bands):
        h = mix((band + 1) * 0x9E3779B97F4A7C15 & _64)
        for value in values[band * rows : (band + 1) * rows]:
            h = mix((h ^ value) * 0xBF58476D1CE4E5B9 & _64)
        found.append(h)
    return found


def jaccard(one: set[int], two: set[int], floor: float) -> float:
    """Twin of `pairs.jaccard`, of one pair."""
    if not one and not two:
        return -1.0
    similarity = len(one & two) / len(one | two)
    return similarity if similarity >= floor else -1.0


def star_clusters(
    n: int, pairs: Sequence[tuple[int, int, float]], rank: Sequence[float], threshold: float
) -> tuple[list[int], list[float]]:
    """Twin of `starloom.dedup.stars.star_clusters`."""
    near: dict[int, dict[int, float]] = {i: {} for i in range(n)}
    for left, right, similarity in pairs:
        if similarity >= threshold:
            near[left][right] = near[right][left] = max(similarity, near[left].get(right, 0.0))
    keeper: list[int] = [-1] * n
    to_keeper = [1.0] * n
    for centre in sorted(range(n), key=lambda i: (rank[i], i)):
        if keeper[centre] < 0:
            keeper[centre] = centre
            for other, similarity in near[centre].items():
                if keeper[other] < 0:
                    keeper[other], to_keeper[other] = centre, similarity
    return keeper, to_keeper


def fold(text: bytes) -> bytes:
    """Twin of `fold.fold`, of one text."""
    lines = (re.sub(rb"[ \t\r\v\f]+", b" ", line).strip(b" ") for line in text.split(b"\n"))
    return b"\n".join(line for line in lines if line)


def folded_lines(text: bytes) -> list[int]:
    """The line, counted from 1, of each byte of the fold; a line end is on the line that it ends."""
    found: list[int] = []
    for number, line in enumerate(text.split(b"\n"), 1):
        if kept := fold(line):
            found += ([found[-1]] if found else []) + [number] * len(kept)
    return found


def window_hash(window: bytes) -> int:
    """The hash of one tile: twin of `tiles.tile_hashes` and `tiles.window_hashes`."""
    h = 0
    for byte in window:
        h = (h * 0x9E3779B97F4A7C15 + byte) & _64
    return mix(h)


def stretches(query: bytes, text: bytes, width: int) -> set[tuple[int, int, int]]:
    """Every equal stretch of two texts that cannot grow and has at least `width` bytes: (start, end in the query,
    position in the text). What `stretches.grown` finds, if every tile is a candidate, for those that hold one."""
    found = set()
    for shift in range(-len(query), len(text) + 1):
        start = max(0, -shift)
        for at in range(start, len(query) + 1):
            if at == len(query) or at + shift >= len(text) or query[at] != text[at + shift]:
                if at - start >= width:
                    found.add((start, at, start + shift))
                start = at + 1
            if at + shift >= len(text):
                break
    return found

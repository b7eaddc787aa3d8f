"""Compiling every kernel before it is needed.

Processes that start cold each compile for themselves (Numba's cache takes no lock): so `warm()` once, or each of STEPS
once in some worker, before these have work, unless `is_warm()`. Cost: two minutes of one core the first time on a
machine, about a second later; to ask `is_warm` costs a millisecond and no Numba.
"""

import functools
import hashlib
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starloom.kernels.cache import cache_folder


@functools.cache
def _machine() -> str:
    """Sixteen hex digits for this Python on this kind of CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = [platform.processor()]
    told = sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))})
    return hashlib.sha256("\n".join([sys.version, platform.machine(), *told]).encode()).hexdigest()[:16]


def _mark(step: str) -> Path:
    """The file that says that the step has run here."""
    return cache_folder() / f"warm-{_machine()}-{step.replace(' ', '-')}"


def is_warm(*steps: str) -> bool:
    """Whether these STEPS, or all, have run here before, so that every process finds the kernels compiled."""
    return all(_mark(step).exists() for step in steps or STEPS)


def warm() -> float:
    """Compile every kernel, or load it from the cache, by a tiny input. Returns the seconds it took."""
    started = time.perf_counter()
    for step in STEPS:
        warm_step(step)
    return time.perf_counter() - started


def warm_step(name: str) -> None:
    """One of STEPS: they may run in processes side by side."""
    _STEPS[name](*_texts())
    if not is_warm(name):  # else whoever may not write there still loads what is compiled
        _mark(name).touch()


def _texts() -> tuple[Any, Any]:
    import numpy as np

    text = "one two three four five six é Σ\n".encode()
    return np.array([0, len(text), 2 * len(text)], dtype=np.int64), np.frombuffer(text * 2, dtype=np.uint8)


def _words(offsets: Any, data: Any) -> None:
    import numpy as np

    from starloom.kernels import hollow, hollow_layout, hollow_layout_rules, hollow_rules, lexical, lexical_rules

    syntax = lexical_rules.Syntax((lexical_rules.Rule(lexical_rules.COMMENT, b"#"),))
    rules, language = lexical_rules.pack([syntax]), np.zeros(2, np.int32)
    lexical.lexical_counts(offsets, data, language, rules)
    bounds, spans = lexical.all_spans(offsets, data, language, rules)
    brackets = hollow_rules.pack([hollow_rules.Brackets()])
    hollow.hollow(offsets, data, language.astype(np.int64), bounds, spans, brackets)
    layouts = hollow_layout_rules.pack([hollow_layout_rules.Layout(hollow_layout_rules.INDENTED)])
    hollow_layout.hollow_layout(offsets, data, language.astype(np.int64), bounds, spans, layouts)


def _characters(offsets: Any, data: Any) -> None:
    from starloom.kernels import lines, runs, shape

    lines.line_statistics(offsets, data)
    runs.encoded_runs(offsets, data)
    shape.shape(offsets, data)


def _quality(offsets: Any, data: Any) -> None:
    import numpy as np

    from starloom.kernels import markup, ngrams, texture

    markup.visible_bytes(offsets, data)
    texture.texture(offsets, data)
    ngrams.margins(offsets, data, np.zeros(1 << 10, np.float32), 1)


def _near_duplicates(offsets: Any, data: Any) -> None:
    import numpy as np

    from starloom.kernels import minhash, pairs, shingles

    shingles.token_counts_and_stream_hash(offsets, data)
    shingles.shingle_sets(offsets, data, "text-dedup")
    set_offsets, sets = shingles.shingle_sets(offsets, data)
    signatures, _, _ = minhash.signatures(offsets, data)
    minhash.band_hashes(signatures, 50, 5)
    one, two = np.array([0], dtype=np.int64), np.array([1], dtype=np.int64)
    pairs.jaccard(set_offsets, sets, one, two, 0.7)
    pairs.agreement(signatures.astype(np.uint8), one, two)


def _membership(offsets: Any, data: Any) -> None:
    import numpy as np

    from starloom.kernels import (
        code_tokens,
        common_tiles,
        fold,
        fold_back,
        growing,
        indented,
        slots,
        stretch_order,
        stretches,
        text,
        tile_gate,
        tile_runs,
        tile_table,
        tiles,
        token_shapes,
    )

    bounds, folded = fold.fold(np.array([0, offsets[-1]], dtype=np.int64), data)
    fold.fold_with_map(data)
    gaps = np.zeros(1, dtype=np.uint32)
    fold.lines_of(folded, gaps, gaps, bounds[:1], bounds[:1], gaps, bounds[:1])
    cuts, hashes = tiles.tile_hashes(bounds, folded)
    _, hashes, numbers = tile_table.parted(hashes, 1)
    numbers = tile_table.renumbered(numbers, np.diff(cuts).astype(np.uint32), cuts[:1])
    words, starts, tags, numbers = tile_table.bucketed(hashes, numbers, 1, 0, 2)
    table = tiles.frozen_table(tiles.Table(1, words, starts.astype(np.uint32), tags, numbers))
    found = tiles.look_up(folded, table, 1)
    tile_gate.let_pass(np.zeros(2, dtype=np.uint64), tile_gate.keys(bounds, folded, tiles.WIDTH))
    tiles.look_up_hashes(tiles.hashes_at(folded, found.offsets), table, 1)
    first_tile, state = np.array([0, len(hashes)], dtype=np.uint32), np.ones(1, dtype=np.uint8)
    files = tile_runs.Files(
        *(text.frozen(one, one.dtype) for one in (first_tile, tile_runs.near(first_tile), state, state))
    )
    tile_runs.living(table, found.first, files, 1)
    tile_runs.every(table, found, files)
    tile_runs.spread(table, found.first, files, 1, 1)
    zero, sizes = np.zeros(1, dtype=np.int64), np.diff(bounds).astype(np.uint32)
    texts = growing.Texts(*(text.frozen(one, one.dtype) for one in (zero, sizes, folded)))
    grown = growing.grown(folded, texts, zero, found.offsets[:1], zero)
    stretches.apart(found.offsets, 1)
    common_tiles.midst(found.offsets, tiles.hashes_at(folded, found.offsets), tiles.WIDTH)
    common_tiles.sharing(zero, zero + tiles.WIDTH, (zero, zero), zero, (zero, np.zeros(2, dtype=np.int64)), tiles.WIDTH)
    stretches.trimmed(folded, grown)
    stretches.chosen(grown.start, grown.end, len(folded), 1)
    stretches.holders(grown, grown.start, grown.end, 1)
    stretch_order.in_order(stretches.Stretches(*np.zeros((4, stretch_order.MANY), dtype=np.int64)))
    slots.numbered(found.offsets)
    fold_back.came_from(offsets, data, bounds[:1], bounds[:1])
    fold_back.characters_of(folded, bounds[:1], bounds[:1])
    indented.indented(np.frombuffer(b"[1]", dtype=np.uint8))
    shapes = code_tokens.tokens(folded)
    token_shapes.tiles(bounds, folded)
    token_shapes.windows(shapes)
    token_shapes.grown(shapes, bounds[:1], np.diff(bounds).astype(np.uint32), folded, *np.zeros((3, 0), np.int64))


def _found(offsets: Any, data: Any) -> None:
    from starloom.kernels import (
        anchors,
        automaton,
        borders,
        cuts,
        gram_filters,
        index_terms,
        passage_ngrams,
        passages,
        squeeze,
    )

    text = bytes(data)
    gate = anchors.Compiled(automaton.Automaton([automaton.Anchor("two")]))
    list(gate.places(offsets, data))
    squeeze.squeeze_with_map(data)
    index_terms.index_terms(offsets, data, offsets, data, 100)
    borders.border_terms(offsets, data)
    gram_filters.gram_filters(offsets, data)
    cuts.whole(cuts.cut(text, lambda block: block), len(text))
    passages.find(*squeeze.squeeze(offsets, data), passages.passages([text], passages.LEAST))
    passage_ngrams.find_nearly(offsets, data, passage_ngrams.passage_ngrams([text], 2, 1.0))


def _questions(offsets: Any, data: Any) -> None:
    import numpy as np

    from starloom.kernels import (
        best_places,
        cuts,
        extracts,
        gram_filters,
        lines_at,
        named,
        seek,
        shown,
        surroundings,
        where,
    )
    from starloom.kernels.packed import Packed, Sought

    text, zero, end = bytes(data), np.zeros(len(offsets) - 1, dtype=np.int64), len(data)
    filters = gram_filters.Filters(np.zeros(2, dtype=np.int64), data[:0])
    filters.having(gram_filters.gram_hashes(text), zero[:1])
    seek.Seeker(b"two", any_case=True).stands_in(text)
    seek.line_seeker(b"two", [b"two"])(text)
    cuts.whole(b"", 0)
    sought = Sought(on_line=[[seek.Seeker(b"two", any_case=True)]])
    sought.told(Packed({0: text}, zero[:1], zero[:1], zero[:1], zero[:1], 1), zero[:1])
    two = where.Where([seek.Seeker(b"two", any_case=True)])
    standing = two.standing([where.Stretch(0, end, 1)], data)
    best_places.best_places(offsets, data, [(0, 0)], standing, [], letters=True)
    extracts.extracts(offsets, data, zero, zero, 2, 1)
    around = surroundings.Surroundings(surroundings.Reach(1, 1, 1, 1), ["two"])
    around.around([surroundings.Piece(0, end, 0, end)], data)
    shown.shown(offsets, data, [], two, around, shown.Manner(2, 1, 1, 1, 1), whole=False)
    lines_at.line_starts(offsets, data, zero, zero + 1)
    named.Names([b"two"]).among([(0, 1)], offsets.astype(np.int32), data)


def _ends(offsets: Any, data: Any) -> None:
    from starloom.kernels import heads, leading, marks, present, seek

    starts, stops = offsets[:-1], offsets[1:]
    seek.standing([b"two"], True, heads.last_lines(starts, stops, data, 1, 1), stops, data)
    words = present.Words([b"two"], [b"two"] * present.FEW)
    words.standing(starts, heads.first_lines(starts, stops, data, 1, 1), data)
    heads.last_characters(starts, heads.first_characters(starts, stops, data, 1), data, 1)
    leading.leading_lines(starts, stops, data, leading.Compiled(marks.Marks({"/*": "*/"}, "#", {}, {}, " ")))


def _rows(_offsets: Any, _data: Any) -> None:
    import numpy as np

    from starloom.kernels import best_fit, bundles, gather

    bounds, bundle, sizes = bundles.bundles(np.array([0, 3]), np.array([1]), 2, 1)
    row, rows = best_fit.best_fit(sizes, 2)
    first, items = best_fit.grouped(row[bundle], rows)
    for kind in (np.uint16, np.uint32):
        lengths = np.diff(bounds)[items]
        gather.gather(np.arange(3, dtype=kind), first, lengths, np.zeros(2, np.bool_), items, 2, 0)


def _tokens(offsets: Any, data: Any) -> None:
    import numpy as np

    from starloom.kernels import byte_pairs

    ids = np.arange(258, dtype=np.uint32)
    merges = byte_pairs.Merges.of(ids[:256], ids[101:102], ids[32:33], ids[256:257])
    assert merges is not None
    byte_pairs.Encoder(merges).encode(offsets, data)


# Those that share few kernels, the longest first: side by side they take the time of the longest.
_STEPS: dict[str, Callable[[Any, Any], None]] = {
    "words": _words,
    "characters": _characters,
    "quality": _quality,
    "near-duplicates": _near_duplicates,
    "membership": _membership,
    "found texts": _found,
    "questions": _questions,
    "ends of texts": _ends,
    "rows": _rows,
    "tokens": _tokens,
}
STEPS = tuple(_STEPS)

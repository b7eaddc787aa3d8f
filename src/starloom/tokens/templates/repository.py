"""One document is one repository: all its files, in random order, one after the other.

arXiv 2402.19173, section 5: half of the repositories with their name and their files' paths, half without. Which, in
which order, and which files are cut for fill-in-the-middle depends on seed, variant and names alone (kernels/random):
the same on every machine, in any order of packing. Unlike the published training code, nothing is ever cut in the
repository's name or in a path, nor within the marker of something private. The order may be another (tokens/
dependencies), and the middle of a file a piece of its syntax (languages/syntax/middles).

Cost: 10 us a file, 450-600 MB/s of text; pieces of syntax cost what languages/syntax/middles says.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from starloom.kernels.random import keyed_uint64s, keyed_unit, keyed_units
from starloom.languages.syntax import grammars
from starloom.tokens import redacted, special_tokens
from starloom.tokens.fill_in_the_middle import Cut, FimSettings, arrange, chosen, cut, cut_at
from starloom.tokens.special_tokens import SPECIAL_IDS, Markers
from starloom.tokens.templates.seen import Seen

METADATA_RATE: Final = 0.5  # share of the documents that tell repository and paths

_OWN: Final = special_tokens.find_markers(SPECIAL_IDS, SPECIAL_IDS[special_tokens.END_OF_TEXT], frozenset())


class File(NamedTuple):
    """`marked`: where markers stand in its content that are tokens; `language`: by Linguist's name, for its syntax."""

    path: str
    content_id: str
    content: str
    marked: redacted.Markers = ()
    language: str = ""


class Piece(NamedTuple):
    """A part of a document: ordinary text, or one special token's id; and the number of the file it belongs to, among
    those that were laid out; -1: to none. What tells a file from the one before is a part of it."""

    text: str | None
    special: int | None
    file: int


class Middles(Protocol):
    """languages/syntax/middles: of each (language, text, drawn number) the stretch of characters that is its middle."""

    def __call__(self, asked: Sequence[tuple[str, str, int]]) -> list[tuple[int, int] | None]: ...


def document(
    repo_name: str,
    files: Sequence[File],
    seed: int,
    variant: int,
    settings: FimSettings,
    markers: Markers | None = _OWN,
    end_of_text: int = SPECIAL_IDS[special_tokens.END_OF_TEXT],
    *,
    order: Sequence[int] | None = None,
    middles: Middles | None = None,
    seen: Seen | None = None,
    begins: bool = True,
    ends: bool = True,
) -> list[Piece]:
    """The pieces of the document of a repository. Each text is to be encoded by itself.

    `markers`, `end_of_text`: those of the tokenizer, where it is not one of ours. Files are told apart by the end of
    text where it has no token for that, and nothing is cut where it has none for fill-in-the-middle. `order`: of the
    files, by number; None: random. `middles`: needed where settings.syntax_rate > 0. `seen`: what happens is added.
    `begins`, `ends`: whether these files are the first, the last of their repository: of one too large for memory some
    are laid out at a time, in an order drawn before (`file_order`).
    """
    seen = Seen() if seen is None else seen
    key = _key(variant, repo_name)
    keys = [_key(variant, repo_name, file.path) for file in files]
    separator = markers.file_sep if markers else None
    told = separator is not None and chosen(keyed_unit(seed, "metadata", key), METADATA_RATE)
    cuttable = markers if chosen(keyed_unit(seed, "fim repository", key), settings.repository_rate) else None
    drawn = _drawn(files, keys, seed, settings, middles, seen) if cuttable else {}
    found: list[Piece] = []
    if begins and told and markers and markers.repo_name is not None:
        found.append(Piece(None, markers.repo_name, -1))
        found.append(Piece(repo_name + markers.after_repo_name, None, -1))
    if order is None:
        order = file_order(repo_name, [file.path for file in files], seed, variant)
    for place, number in enumerate(order):
        file = files[number]
        if separator is not None:
            found.append(Piece(None, separator, number))
        elif place or not begins:
            found.append(Piece(None, end_of_text, number))
        head = f"{file.path}\n" if told else ""
        if cuttable and number in drawn:
            parts, suffix_first = drawn[number]
            found += _laid_out(file, head, parts, suffix_first, cuttable, number)
            seen.suffix_first += suffix_first or cuttable.order == "spm"
        elif file.marked:
            found += _pieces((head, *redacted.parts(file.content, file.marked)), number)
        elif text := head + file.content:
            found.append(Piece(text, None, number))
    if ends:
        found.append(Piece(None, end_of_text, -1))
    seen.documents += begins
    seen.with_metadata += begins and told
    seen.files += len(files)
    return found


def file_order(repo_name: str, paths: Sequence[str], seed: int, variant: int) -> list[int]:
    """Numbers of the files, in random order; the path decides where two draw the same number."""
    drawn = keyed_uint64s(seed, "file order", (_key(variant, repo_name, path) for path in paths)).tolist()
    return sorted(range(len(paths)), key=lambda number: (drawn[number], paths[number]))


def _drawn(
    files: Sequence[File],
    keys: Sequence[str],
    seed: int,
    settings: FimSettings,
    middles: Middles | None,
    seen: Seen,
) -> dict[int, tuple[Cut[str], bool]]:
    """The files that are cut, by number: how, and whether the suffix comes first."""
    some = [number for number, file in enumerate(files) if file.content]
    units = keyed_units(seed, "fim file", (keys[number] for number in some))
    cuts = [number for number, unit in zip(some, units.tolist(), strict=True) if chosen(unit, settings.file_rate)]
    chosen_keys = [keys[number] for number in cuts]
    first, second, orders = (keyed_units(seed, f"fim {one}", chosen_keys) for one in ("first", "second", "order"))
    pieces = _syntax(files, dict(zip(cuts, chosen_keys, strict=True)), seed, settings.syntax_rate, middles, seen)
    found = {}
    for number, one, other, order in zip(cuts, first.tolist(), second.tolist(), orders.tolist(), strict=True):
        content, whole = files[number].content, [marked[:2] for marked in files[number].marked]
        piece = pieces.get(number)
        parts = cut(content, one, other, whole) if piece is None else cut_at(content, *piece, whole)
        found[number] = parts, chosen(order, settings.spm_rate)
    seen.cut += len(cuts)
    return found


def _syntax(
    files: Sequence[File], cuts: dict[int, str], seed: int, rate: float, middles: Middles | None, seen: Seen
) -> dict[int, tuple[int, int]]:
    """The middles that are pieces of syntax, of some of the files (by number, with their keys) that are cut."""
    if not rate:
        return {}
    if middles is None:
        raise ValueError("syntax_rate needs middles")
    units = keyed_units(seed, "fim syntax", cuts.values())
    wanted = [number for number, unit in zip(cuts, units.tolist(), strict=True) if chosen(unit, rate)]
    parsed = [number for number in wanted if files[number].language in grammars()]
    numbers = keyed_uint64s(seed, "fim middle", (cuts[number] for number in parsed))
    asked = [(files[n].language, files[n].content, key) for n, key in zip(parsed, numbers.tolist(), strict=True)]
    found = {number: piece for number, piece in zip(parsed, middles(asked), strict=True) if piece is not None}
    seen.syntax += len(found)
    seen.no_grammar += len(wanted) - len(parsed)
    seen.not_parsed += len(parsed) - len(found)
    return found


def _laid_out(file: File, head: str, drawn: Cut[str], suffix_first: bool, markers: Markers, number: int) -> list[Piece]:
    """A file in three parts."""
    before, within = ((), (head,)) if markers.path_in_prefix else ((head,), ())
    start = len(drawn.prefix)
    stop = start + len(drawn.middle)
    parts: Cut[redacted.Parts]
    if file.marked:
        between = ((0, start), (start, stop), (stop, None))
        parts = Cut(*(redacted.parts(file.content, file.marked, *one) for one in between))
    else:
        parts = Cut((drawn.prefix,), (drawn.middle,), (drawn.suffix,))
    if markers.order == "spm":  # a family that knows one order only
        prefix = (*within, *parts.prefix)
        laid_out = (*before, markers.suffix, *parts.suffix, markers.prefix, *prefix, markers.middle, *parts.middle)
    else:
        prefix, suffix, middle = arrange(parts, "spm" if suffix_first else "psm", within)
        laid_out = (*before, markers.prefix, *prefix, markers.suffix, *suffix, markers.middle, *middle)
    return _pieces(laid_out, number)


def _pieces(parts: redacted.Parts, number: int) -> list[Piece]:
    """Neighbouring texts as one, empty ones left out."""
    return [
        Piece(one, None, number) if isinstance(one, str) else Piece(None, one, number) for one in redacted.joined(parts)
    ]


def _key(variant: int, *names: str) -> str:
    return "\0".join((str(variant), *names))

"""One document is one repository: all its files, in random order, one after the other.

arXiv 2402.19173, section 5: half of the repositories with their name and their files' paths, half without. Which, in
which order, and which files are cut for fill-in-the-middle depends on seed, variant and names alone (kernels/random):
the same on every machine, in any order of packing. Unlike the published training code, nothing is ever cut in the
repository's name or in a path.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from starloom.kernels.random import keyed_uint64, keyed_unit
from starloom.tokens import special_tokens
from starloom.tokens.fill_in_the_middle import FimSettings, arrange, chosen, cut
from starloom.tokens.special_tokens import SPECIAL_IDS, Markers

METADATA_RATE: Final = 0.5  # share of the documents that tell repository and paths

_OWN: Final = special_tokens.find_markers(SPECIAL_IDS, SPECIAL_IDS[special_tokens.END_OF_TEXT], frozenset())


@dataclass(frozen=True)
class Piece:
    """A part of a document: ordinary text, or one special token's id; and the file it belongs to, if to any."""

    text: str | None
    special: int | None
    content_id: str | None


def document(
    repo_name: str,
    files: Sequence[tuple[str, str, str]],
    seed: int,
    variant: int,
    settings: FimSettings,
    markers: Markers | None = _OWN,
    end_of_text: int = SPECIAL_IDS[special_tokens.END_OF_TEXT],
) -> list[Piece]:
    """The pieces of the document of a repository, `files` as (path, content_id, content). Each text is to be encoded by
    itself.

    `markers`, `end_of_text`: those of the tokenizer, where it is not one of ours. Files are told apart by the end of
    text where it has no token for that, and nothing is cut where it has none for fill-in-the-middle.
    """

    def unit(purpose: str, *names: str) -> float:
        return keyed_unit(seed, purpose, _key(variant, repo_name, *names))

    separator = markers.file_sep if markers else None
    told = separator is not None and chosen(unit("metadata"), METADATA_RATE)
    cuttable = markers if chosen(unit("fim repository"), settings.repository_rate) else None
    found: list[Piece] = []
    if told and markers and markers.repo_name is not None:
        found.append(Piece(None, markers.repo_name, None))
        found.append(Piece(repo_name + markers.after_repo_name, None, None))
    for number, (path, content_id, content) in enumerate(_shuffled(files, seed, _key(variant, repo_name))):
        if separator is not None:
            found.append(Piece(None, separator, None))
        elif number:
            found.append(Piece(None, end_of_text, None))
        head = f"{path}\n" if told else ""
        if cuttable and content and chosen(unit("fim file", path), settings.file_rate):
            drawn = tuple(unit(f"fim {what}", path) for what in ("first", "second", "order"))
            found += _cut(content_id, head, content, drawn, settings.spm_rate, cuttable)
        elif head + content:
            found.append(Piece(head + content, None, content_id))
    return [*found, Piece(None, end_of_text, None)]


def _cut(
    content_id: str, head: str, content: str, drawn: tuple[float, ...], spm_rate: float, markers: Markers
) -> Iterator[Piece]:
    """A file cut in three by `drawn`: two positions and the order."""

    def text(what: str) -> Iterator[Piece]:
        if what:
            yield Piece(what, None, content_id)

    def marker(number: int) -> Piece:
        return Piece(None, number, content_id)

    first, second, order = drawn
    if not markers.path_in_prefix:
        yield from text(head)
        head = ""
    parts = cut(content, first, second)
    if markers.order == "spm":  # a family that knows one order only
        yield marker(markers.suffix)
        yield from text(parts.suffix)
        yield marker(markers.prefix)
        yield from text(head + parts.prefix)
        yield marker(markers.middle)
        yield from text(parts.middle)
        return
    prefix, suffix, middle = arrange(parts, "spm" if chosen(order, spm_rate) else "psm", head)
    yield marker(markers.prefix)
    yield from text(prefix)
    yield marker(markers.suffix)
    yield from text(suffix)
    yield marker(markers.middle)
    yield from text(middle)


def _shuffled(files: Sequence[tuple[str, str, str]], seed: int, key: str) -> list[tuple[str, str, str]]:
    """Random order; the path decides where two draw the same number."""
    return sorted(files, key=lambda file: (keyed_uint64(seed, "file order", f"{key}\0{file[0]}"), file[0]))


def _key(variant: int, *names: str) -> str:
    return "\0".join((str(variant), *names))

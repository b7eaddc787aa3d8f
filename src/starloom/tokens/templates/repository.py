"""One document is one repository: all its files, in random order, one after the other.

arXiv 2402.19173, section 5: half of the repositories with their name and their files' paths, half without. Which, in
which order, and which files are cut for fill-in-the-middle depends on seed, variant and names alone (kernels/random):
the same on every machine, in any order of packing. Unlike the published training code, nothing is ever cut in the
repository's name or in a path, nor within the marker of something private.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from starloom.kernels.random import keyed_uint64, keyed_unit
from starloom.tokens import redacted, special_tokens
from starloom.tokens.fill_in_the_middle import Cut, FimSettings, arrange, chosen, cut
from starloom.tokens.special_tokens import SPECIAL_IDS, Markers

METADATA_RATE: Final = 0.5  # share of the documents that tell repository and paths

_OWN: Final = special_tokens.find_markers(SPECIAL_IDS, SPECIAL_IDS[special_tokens.END_OF_TEXT], frozenset())


class File(NamedTuple):
    """`marked`: where markers stand in its content that are tokens."""

    path: str
    content_id: str
    content: str
    marked: redacted.Markers = ()


@dataclass(frozen=True)
class Piece:
    """A part of a document: ordinary text, or one special token's id; and the file it belongs to, if to any."""

    text: str | None
    special: int | None
    content_id: str | None


def document(
    repo_name: str,
    files: Sequence[File],
    seed: int,
    variant: int,
    settings: FimSettings,
    markers: Markers | None = _OWN,
    end_of_text: int = SPECIAL_IDS[special_tokens.END_OF_TEXT],
) -> list[Piece]:
    """The pieces of the document of a repository. Each text is to be encoded by itself.

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
    for number, file in enumerate(_shuffled(files, seed, _key(variant, repo_name))):
        if separator is not None:
            found.append(Piece(None, separator, None))
        elif number:
            found.append(Piece(None, end_of_text, None))
        head = (f"{file.path}\n",) if told else ()
        if cuttable and file.content and chosen(unit("fim file", file.path), settings.file_rate):
            drawn = tuple(unit(f"fim {what}", file.path) for what in ("first", "second", "order"))
            found += _cut(file, head, drawn, settings.spm_rate, cuttable)
        else:
            found += _pieces((*head, *redacted.parts(file.content, file.marked)), file.content_id)
    return [*found, Piece(None, end_of_text, None)]


def _pieces(parts: redacted.Parts, content_id: str) -> list[Piece]:
    return [
        Piece(one, None, content_id) if isinstance(one, str) else Piece(None, one, content_id)
        for one in redacted.joined(parts)
    ]


def _cut(
    file: File, head: redacted.Parts, drawn: tuple[float, ...], spm_rate: float, markers: Markers
) -> Iterator[Piece]:
    """A file cut in three by `drawn`: two positions and the order."""
    first, second, order = drawn
    if not markers.path_in_prefix:
        yield from _pieces(head, file.content_id)
        head = ()
    drawn_parts = cut(file.content, first, second, [one[:2] for one in file.marked])
    start = len(drawn_parts.prefix)
    stop = start + len(drawn_parts.middle)
    parts: Cut[redacted.Parts] = Cut(
        redacted.parts(file.content, file.marked, 0, start),
        redacted.parts(file.content, file.marked, start, stop),
        redacted.parts(file.content, file.marked, stop),
    )
    if markers.order == "spm":  # a family that knows one order only
        laid_out = (markers.suffix, *parts.suffix, markers.prefix, *head, *parts.prefix, markers.middle, *parts.middle)
    else:
        prefix, suffix, middle = arrange(parts, "spm" if chosen(order, spm_rate) else "psm", head)
        laid_out = (markers.prefix, *prefix, markers.suffix, *suffix, markers.middle, *middle)
    yield from _pieces(laid_out, file.content_id)


def _shuffled(files: Sequence[File], seed: int, key: str) -> list[File]:
    """Random order; the path decides where two draw the same number."""
    return sorted(files, key=lambda file: (keyed_uint64(seed, "file order", f"{key}\0{file.path}"), file.path))


def _key(variant: int, *names: str) -> str:
    return "\0".join((str(variant), *names))

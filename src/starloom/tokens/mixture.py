"""The sources of the mixture: which documents belong together, and how much of the training they are.

`[[mixture]]` in starloom.toml. A repository's document belongs to the first source whose conditions all hold; those of
no source are packed as the source REST, of which nothing is trained on. Documents of another kind than source files are
a source of their own, where one is asked for.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from starloom.documents.steps import KINDS
from starloom.errors import UserError
from starloom.settings import nearest

REST: Final = "rest"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class MixtureSource:
    """One `[[mixture]]`. Raises UserError for a name or weight that is none."""

    name: str  # of the source: lower-case letters, digits, - and _
    languages: tuple[str, ...] = ()  # repositories most of whose bytes are in one of these; none: in any
    repositories: tuple[str, ...] = ()  # repositories whose name is like one of these: `*` and `?` stand for anything
    documents: str = ""  # a kind of documents, e.g. "notebook-scripts" (docs/documents.md); instead of conditions
    tokens: str = ""  # a folder, or the URL of one, that is packed already; instead of conditions
    weight: float = 0.0  # share of the training, beside the other weights; none has one: as much as there is of each

    def __post_init__(self) -> None:
        where = f"[[mixture]] name = {self.name!r}"
        if not _NAME.fullmatch(self.name) or self.name == REST:
            raise UserError(f"{where} is no name for a source", f"use a-z, 0-9, - and _, and another name than {REST}")
        if not 0.0 <= self.weight < float("inf"):
            raise UserError(f"{where}: weight = {self.weight} is no share", "a number from 0 on")
        if self.documents and self.documents not in KINDS:
            raise UserError(f"{where}: documents = {self.documents!r} is no kind", nearest(self.documents, KINDS))
        if self.documents and (self.languages or self.repositories or self.tokens):
            raise UserError(
                f"{where}: all documents of the kind {self.documents!r} are one source",
                "leave out `languages`, `repositories` and `tokens`",
            )
        if self.tokens and (self.languages or self.repositories):
            raise UserError(
                f"{where}: `tokens` are packed already, so `languages` and `repositories` choose nothing",
                "leave one or the other out",
            )


def check_mixture(mixture: Sequence[MixtureSource]) -> None:
    """Raises UserError for two of one name, and for weights that only some have."""
    names = [one.name for one in mixture]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"[[mixture]] name = {twice[0]!r} stands twice", "each source has a name of its own")
    weighed = [one.name for one in mixture if one.weight]
    if weighed and len(weighed) < len(mixture):
        bare = next(one.name for one in mixture if not one.weight)
        raise UserError(
            f"[[mixture]] {bare} has no weight, {weighed[0]} has one", "give each source a weight above 0, or none"
        )


def main_languages(
    repo_names: Iterable[str], languages: Iterable[str | None], lengths: Iterable[int]
) -> dict[str, str]:
    """By repository, the language that most of its bytes are in, of files given by three columns; "" where no language
    is known. Of equals the first by name."""
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for repo_name, language, length in zip(repo_names, languages, lengths, strict=True):
        sizes[repo_name][language or ""] += length
    return {name: min(found, key=lambda one: (-found[one], one)) for name, found in sizes.items()}


def belongs(mixture: Sequence[MixtureSource], repo_name: str, language: str) -> int:
    """The number of the source of a repository whose main language that is; -1: none."""
    for number, one in enumerate(mixture):
        if (
            not one.tokens
            and not one.documents
            and (not one.languages or language in one.languages)
            and (not one.repositories or any(fnmatchcase(repo_name, like) for like in one.repositories))
        ):
            return number
    return -1

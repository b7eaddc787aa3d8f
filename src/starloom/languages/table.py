"""The languages Starloom knows, and what each is recognised by.

`table.tsv` is Linguist's table, made by scripts/language_table.py; its names are those of The Stack v2 as far as
Linguist has not renamed them since ("Rocq Prover" was Coq). `additions.toml` has what detection knows beside it: more
names, and the default of each shared extension. Cost: about 10 ms to read, once a process; nothing at import.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, cast

Kind = Literal["programming", "markup", "data", "prose"]

_LISTS = ("extensions", "names", "interpreters", "aliases")


@dataclass(frozen=True, slots=True)
class Language:
    """One language. Its name alone is enough to be found by, as an alias in lower case."""

    name: str  # as in the published column `language`
    kind: Kind
    extensions: tuple[str, ...]  # without the leading dot; the most usual one first; an upper-case one is only itself
    names: tuple[str, ...]  # whole file names
    interpreters: tuple[str, ...]  # programs of a "#!" line, without version
    aliases: tuple[str, ...]  # lower case, the lower-cased name included
    color: str = ""  # of charts, "#3572A5"
    group: str = ""  # the language it is counted under, if another


@dataclass(frozen=True, slots=True)
class Table:
    """All languages, and the dictionaries that detection looks into. Of several languages the default is first."""

    languages: dict[str, Language]  # by name
    by_extension: dict[str, tuple[Language, ...]]
    by_file_name: dict[str, tuple[Language, ...]]
    by_interpreter: dict[str, tuple[Language, ...]]
    by_alias: dict[str, Language]
    modes: dict[str, Language | None]  # editors' modes that are no alias, or mean another language there


@cache
def load() -> Table:
    """The table. Raises ValueError where the two files contradict each other."""
    # Imported here since both are slow to import (15 ms), and most who import this module never detect.
    import tomllib
    from importlib.resources import files

    folder = files(__package__)
    rows = folder.joinpath("table.tsv").read_text("utf-8")
    return build(rows, tomllib.loads(folder.joinpath("additions.toml").read_text("utf-8")))


def by_name(name: str) -> Language | None:
    """The language with this name or alias, in any case: "python", "C++", "cpp", "bash" (which is Shell)."""
    table = load()
    return table.languages.get(name) or table.by_alias.get(name.lower())


def build(rows: str, additions: dict[str, Any]) -> Table:
    """The text of table.tsv with additions.toml, parsed. Raises ValueError where they contradict each other."""
    languages = {one.name: one for one in _languages(rows)}
    for name, fields in additions.get("languages", {}).items():
        if name not in languages:
            raise ValueError(f"additions: {name} is not in the table")
        languages[name] = _with(languages[name], fields)
    defaults, default_names = additions.get("defaults", {}), additions.get("default_names", {})
    return Table(
        languages,
        _shared(languages, "extensions", defaults, "defaults"),
        _shared(languages, "names", default_names, "default_names"),
        _shared(languages, "interpreters", additions.get("default_interpreters", {}), "default_interpreters"),
        _aliases(languages),
        {mode: languages[name] if name else None for mode, name in additions.get("modes", {}).items()},
    )


def _languages(rows: str) -> Iterator[Language]:
    for row in rows.splitlines():
        if row.startswith("#"):
            continue
        name, kind, extensions, names, interpreters, aliases, color, group = row.split("\t")
        yield Language(
            name,
            cast(Kind, kind),
            tuple(one.removeprefix(".").lower() for one in extensions.split("|") if one),
            tuple(one for one in names.split("|") if one),
            tuple(one for one in interpreters.split("|") if one),
            tuple(dict.fromkeys((name.lower(), *(one.lower() for one in aliases.split("|") if one)))),
            color,
            group,
        )


def _with(language: Language, fields: dict[str, str]) -> Language:
    if unknown := fields.keys() - set(_LISTS):
        raise ValueError(f"additions: {language.name}: unknown {', '.join(sorted(unknown))}")
    more: dict[str, Any] = {}
    for field, words in fields.items():
        before: tuple[str, ...] = getattr(language, field)
        if known := set(words.split()) & set(before):
            raise ValueError(f"additions: {language.name}: {field} has {', '.join(sorted(known))} already")
        more[field] = (*before, *words.split())
    return replace(language, **more)


def _shared(
    languages: dict[str, Language], field: str, defaults: dict[str, str], where: str
) -> dict[str, tuple[Language, ...]]:
    sharing: dict[str, list[Language]] = {}
    for language in languages.values():
        for value in getattr(language, field):
            sharing.setdefault(value, []).append(language)
    for value, sharers in sharing.items():
        if where and len(sharers) > 1 and defaults.get(value) not in {one.name for one in sharers}:
            raise ValueError(f"{where}: {value} should be one of {', '.join(one.name for one in sharers)}")
    if needless := [value for value in defaults if len(sharing.get(value, ())) < 2]:
        raise ValueError(f"{where}: not shared by any two languages: {', '.join(needless)}")
    return {
        value: tuple(sorted(sharers, key=lambda language: language.name != defaults.get(value)))
        for value, sharers in sharing.items()
    }


def _aliases(languages: dict[str, Language]) -> dict[str, Language]:
    found: dict[str, Language] = {}
    for language in languages.values():
        for alias in language.aliases:
            if alias in found or alias != alias.lower():
                raise ValueError(f"aliases: {alias} of {language.name} is taken or not in lower case")
            found[alias] = language
    return found

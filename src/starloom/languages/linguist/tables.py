"""The tables of a Linguist, read from the folder that a user names: nothing of them is part of Starloom.

A checkout of github-linguist, an unpacked gem and Debian's package all hold them in `lib/linguist/`. Read are
languages.yml (or the languages.json beside it, which Linguist prefers), heuristics.yml, vendor.yml, documentation.yml,
generic.yml and samples.json, or what a checkout has instead, the folder `samples`. popular.yml orders a menu of a web
page and decides nothing. What is not shaped as expected is a UserError. Cost: 0.3 s where languages.json and
samples.json are there, most of it YAML.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]

from starloom.errors import UserError
from starloom.languages.linguist.training import train

MARK = b"starloom linguist 1\n"  # to be changed when the same tables come to give other answers
MAX_BYTES = 1 << 28  # of one file; samples.json of version 9 has some 30 MB
MAX_FOLDERS = 50_000  # looked through for lib/linguist
_HINT = "name a checkout of github-linguist, or the folder of its gem or Debian package"


@dataclass(frozen=True)
class LinguistLanguage:
    """What detection needs of one language."""

    name: str
    aliases: tuple[str, ...]
    extensions: tuple[str, ...]  # with the leading dot
    filenames: tuple[str, ...]
    interpreters: tuple[str, ...]


@dataclass(frozen=True)
class Tables:
    """The documents as they are, but for the languages."""

    folder: Path  # lib/linguist
    languages: tuple[LinguistLanguage, ...]  # in the order of the file, which decides among equals
    heuristics: dict[str, Any]
    vendor: list[str]
    documentation: list[str]
    generic: list[str]  # extensions that say nothing by themselves
    samples: dict[str, Any]  # shaped as samples.json; empty where there are none
    fingerprint: str  # of all that was read


def read_tables(folder: Path) -> Tables:
    """Raises UserError where `folder` holds no Linguist, or several, or one that cannot be read."""
    found = find(folder)
    digest = hashlib.sha256(MARK)

    def read(name: str, *, needed: bool = True) -> Any:
        path = found / name
        if not path.is_file():
            if needed:
                raise UserError(f"{path} is missing", _HINT)
            return None
        data = _bytes(path)
        digest.update(f"{name} {len(data)}\n".encode() + data)
        return _parsed(path, data)

    languages = read("languages.json", needed=False)
    if languages is None:
        languages = read("languages.yml")
    heuristics = _mapping(read("heuristics.yml"), found / "heuristics.yml")
    vendor = _strings(read("vendor.yml"), found / "vendor.yml")
    documentation = _strings(read("documentation.yml"), found / "documentation.yml")
    generic = read("generic.yml", needed=False)
    samples = read("samples.json", needed=False)
    if samples is None:
        folders = {
            str(fields["fs_name"]): str(name)
            for name, fields in _mapping(languages, found / "languages.yml").items()
            if isinstance(fields, dict) and fields.get("fs_name")
        }
        samples, of_samples = train(found, folders)
        digest.update(of_samples)
    samples = _mapping(samples, found / "samples.json")
    return Tables(
        found,
        _languages(_mapping(languages, found / "languages.yml"), samples),
        heuristics,
        vendor,
        documentation,
        _strings((generic or {}).get("extensions", []), found / "generic.yml") if isinstance(generic, dict) else [],
        samples,
        digest.hexdigest(),
    )


def find(folder: Path) -> Path:
    """lib/linguist at, in or below `folder`."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder", _HINT)
    for candidate in (folder, folder / "linguist", folder / "lib" / "linguist"):
        if _is_linguist(candidate):
            return candidate
    found: list[Path] = []
    for looked, (here, folders, _) in enumerate(os.walk(folder)):
        if looked > MAX_FOLDERS or len(found) > 1:
            break
        folders.sort()
        candidate = Path(here) / "linguist"
        if Path(here).name == "lib" and _is_linguist(candidate):
            found.append(candidate)
            folders.clear()
    if len(found) > 1:
        raise UserError(f"{folder} holds more than one Linguist: {found[0]} and {found[1]}", "name one of them")
    if not found:
        raise UserError(f"{folder} holds no lib/linguist with languages.yml and heuristics.yml", _HINT)
    return found[0]


def _is_linguist(folder: Path) -> bool:
    return (folder / "languages.yml").is_file() and (folder / "heuristics.yml").is_file()


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}", _HINT) from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{path} has more than {MAX_BYTES >> 20} MiB", _HINT)
    return data


def _parsed(path: Path, data: bytes) -> Any:
    try:
        if path.suffix == ".json":
            return json.loads(data)
        # The C parser gives the same and is ten times as fast; PyYAML can be built without it.
        return yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        first = str(problem).strip().splitlines()[:1]
        raise UserError(f"{path} cannot be read: {''.join(first)}", _HINT) from None


def _languages(document: dict[str, Any], samples: dict[str, Any]) -> tuple[LinguistLanguage, ...]:
    languages = []
    for name, fields in document.items():
        if not isinstance(fields, dict):
            raise UserError(f"languages.yml: {name} is no language", _HINT)

        def listed(field: str, fields: dict[str, Any] = fields, name: str = name) -> list[str]:
            return _strings(fields.get(field) or [], Path(f"languages.yml: {name}: {field}"))

        extensions = listed("extensions")
        for extra in _extras(samples, "extnames", name):
            # A sample's extension counts, unless it ends one that is listed.
            if not any(one.lower().endswith(extra.lower()) for one in extensions):
                extensions.append(extra)
        interpreters = listed("interpreters")
        interpreters += [one for one in _extras(samples, "interpreters", name) if one not in interpreters]
        own = "".join("-" if char in " \t\n\v\f\r" else char for char in name.lower())
        languages.append(
            LinguistLanguage(
                name,
                (own, *listed("aliases")),
                tuple(extensions),
                tuple(listed("filenames")),
                tuple(interpreters),
            )
        )
    return tuple(languages)


def _extras(samples: dict[str, Any], kind: str, name: str) -> list[str]:
    values = samples.get(kind)
    return _strings(values.get(name) or [], Path(f"samples.json: {kind}")) if isinstance(values, dict) else []


def _mapping(value: Any, where: Path) -> dict[str, Any]:
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise UserError(f"{where} is not shaped as Linguist's", _HINT)


def _strings(value: Any, where: Path) -> list[str]:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return list(value)
    raise UserError(f"{where} should be a list of texts", _HINT)

"""A TOML table into the frozen dataclass that the caller names.

An unknown key is an error that names the nearest known one; a value of the wrong type is an error that names file, key
and value. This module knows no section by name: `stages.py` lists them.
"""

import dataclasses
import difflib
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from starloom.errors import UserError

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """The TOML file at `path`. UserError when it is missing, unreadable, not UTF-8 or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", "make a workspace with `starloom init DIR --from PATH`") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UserError(f"{path}: {problem}", "mend the file; its syntax is TOML (https://toml.io)") from None


def nearest(name: str, known: typing.Iterable[str]) -> str:
    """A hint that names what `name` was probably meant to be, else lists what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(names)}"


def load(table: Mapping[str, Any], kind: type[T], where: str) -> T:
    """`table` as a `kind` (a dataclass); `where` names file and section in errors. Absent keys keep their defaults."""
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in fields:
            raise UserError(f"{where}: unknown key `{key}`", nearest(name, fields))
        if name in values:
            raise UserError(f"{where}: key `{key}` is there twice, once with `-` and once with `_`", "keep one of them")
        values[name] = _convert(value, hints[name], f"{where}, key `{key}`")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise UserError(f"{where}: key `{name}` is missing", f"add `{name} = …`")
    return kind(**values)


def _convert(value: Any, kind: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(kind) if option is not type(None)]
        return _convert(value, options[0], where)
    if origin is typing.Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise UserError(f"{where}: {value!r} is not accepted", f"one of: {', '.join(map(str, choices))}")
        return value
    if origin is tuple:
        item = typing.get_args(kind)[0]
        if not isinstance(value, list):
            raise UserError(f"{where}: a list is expected, not {value!r}", "write it in square brackets")
        return tuple(_convert(one, item, where) for one in value)
    if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return load(value, typing.cast(type[Any], kind), where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}: {value!r} is not a finite number", "mend the value")  # JSON manifests lack it
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
        raise UserError(f"{where}: {value!r} is not {names.get(kind, kind.__name__)}", "mend the value")
    return value


def as_json(value: Any) -> Any:
    """A settings dataclass as plain JSON values, for manifests and fingerprints."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    return value

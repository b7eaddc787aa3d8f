"""What a signal is, and the list of them.

A signal measures one thing of each content: columns of its own, a VERSION, a fingerprint, so that adding or changing
one measures one. It adapts what knowledge lies in kernels, languages, licenses …; it judges nothing. Every module of
`signals/` has one `SIGNAL`.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom import settings as settings_module
from starloom.the_stack import signals
from starloom.workspace.manifest import fingerprint


class Batch:
    """Some contents of one part of the cache: as texts and as bytes, each made when a signal first asks for it."""

    def __init__(
        self,
        contents: Any,
        file_names: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        encodings: Any = None,
        originals: Any = None,
    ) -> None:
        self.contents = contents  # Arrow array of texts, chunked or not
        self.file_names = file_names  # of signals that need one; as many as contents
        self.languages = languages  # of signals that need one; as many as contents
        self._encodings = encodings  # Arrow arrays of signals that need bytes: CONTENTS' src_encoding …
        self._originals = originals  # … and original

    def __len__(self) -> int:
        """How many contents."""
        return len(self.contents)

    def original_bytes(self, row: int) -> bytes | None:
        """What this text was read from; None where that is its UTF-8 form, or was not asked for."""
        if self._encodings is None or (encoding := self._encodings[row].as_py()) == "UTF-8":
            return None
        kept: bytes | None = self._originals[row].as_py()
        return kept if kept is not None else self.contents[row].as_py().encode(encoding)

    @functools.cached_property
    def texts(self) -> list[str]:
        found: list[str] = self.contents.to_pylist()
        return found

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Of the UTF-8 form: file i is data[offsets[i]:offsets[i + 1]]; begins with 0."""
        return self._bytes[0]

    @property
    def data(self) -> NDArray[np.uint8]:
        return self._bytes[1]

    @functools.cached_property
    def _bytes(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        from starloom.kernels.text import text_buffers

        offsets, data = text_buffers(self.contents)
        start, stop = int(offsets[0]), int(offsets[-1])
        return offsets - start, data[start:stop]


@dataclass(frozen=True)
class Signal:
    """`measure(batch, settings)` gives one Arrow array a column, as long as the batch; settings: those of `section`."""

    name: str
    version: int
    columns: pa.Schema
    measure: Callable[[Batch, Any], Sequence[pa.Array]]
    section: str | None = None  # of the settings that change what it measures
    needs_name: bool = False  # one row per content and file name, not per content
    wants_name: Callable[[str], bool] | None = None  # which file names; None: all
    needs_language: bool = False  # the same, with the language that `language` found; files without one are not asked
    wants_language: Callable[[str, Any], bool] | None = None  # (language, settings); None: all
    needs_bytes: bool = False  # asks for `original_bytes`
    prepare: Callable[[Any], None] | None = None  # of its settings: what is fetched before anything is measured
    mark: Callable[[Any], str] | None = None  # of its settings: what else its output depends on, e.g. the user's tables
    complaint: Callable[[Any], str] | None = None  # of its settings: what it cannot measure, in words; "": nothing

    @property
    def by_name(self) -> bool:
        """Whether it has one row per content and file name."""
        return self.needs_name or self.needs_language

    @property
    def schema(self) -> pa.Schema:
        """The key, then the columns."""
        keys = [pa.field("content_id", pa.string(), nullable=False)]
        if self.by_name:
            keys.append(pa.field("file_name", pa.string(), nullable=False))
        return pa.schema([*keys, *self.columns])

    def of(self, settings: Any) -> Any:
        """Its section of all settings."""
        return getattr(settings, self.section) if self.section else None

    def json_settings(self, settings: Any) -> dict[str, Any]:
        return settings_module.as_json(self.of(settings)) if self.section else {}

    def fingerprint(self, settings: Any) -> str:
        parts: list[Any] = [self.name, self.version, self.json_settings(settings)]
        if self.mark and self.section and (mark := self.mark(self.of(settings))):
            parts.append(mark)
        if self.needs_language:
            parts.append(signal("language").fingerprint(settings))
        return fingerprint(*parts)


@functools.cache
def all_signals() -> tuple[Signal, ...]:
    """Every signal, by name."""
    modules = [
        importlib.import_module(f"{signals.__name__}.{one.name}") for one in pkgutil.iter_modules(signals.__path__)
    ]
    return tuple(sorted((module.SIGNAL for module in modules), key=lambda signal: str(signal.name)))


def signal(name: str) -> Signal:
    """The signal of this name."""
    return next(one for one in all_signals() if one.name == name)

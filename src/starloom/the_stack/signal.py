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


@dataclass(frozen=True)
class Batch:
    """Some contents of one part of the cache."""

    texts: Sequence[str]
    offsets: NDArray[np.int64]  # of the UTF-8 form: file i is data[offsets[i]:offsets[i + 1]]
    data: NDArray[np.uint8]
    file_names: Sequence[str] | None  # of signals that need one; as many as texts


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
    mark: Callable[[Any], str] | None = None  # of its settings: what else its output depends on, e.g. the user's tables

    @property
    def schema(self) -> pa.Schema:
        """The key, then the columns."""
        keys = [pa.field("content_id", pa.string(), nullable=False)]
        if self.needs_name:
            keys.append(pa.field("file_name", pa.string(), nullable=False))
        return pa.schema([*keys, *self.columns])

    def json_settings(self, settings: Any) -> dict[str, Any]:
        return settings_module.as_json(getattr(settings, self.section)) if self.section else {}

    def fingerprint(self, settings: Any) -> str:
        mark = self.mark(getattr(settings, self.section)) if self.mark and self.section else ""
        return fingerprint(self.name, self.version, self.json_settings(settings), *([mark] if mark else []))


@functools.cache
def all_signals() -> tuple[Signal, ...]:
    """Every signal, by name."""
    modules = [
        importlib.import_module(f"{signals.__name__}.{one.name}") for one in pkgutil.iter_modules(signals.__path__)
    ]
    return tuple(sorted((module.SIGNAL for module in modules), key=lambda signal: str(signal.name)))

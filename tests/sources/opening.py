"""Opening what a user would name, in a place of its own."""

import tempfile
from pathlib import Path

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.sources import open as sources_open
from starloom.sources.repository import Opened, Place, SourceSettings


def place(folder, **changes):
    """A place below `folder` with an engine of one worker."""
    engine = LocalEngine(EngineSettings(workers=1), Path(folder) / "spill")
    return Place(Path(folder) / "fetched", engine, **changes)


def open_source(text, rights="public", folder=None, **settings) -> Opened:
    """What `text` stands for; the place is thrown away unless `folder` is given."""
    asked = SourceSettings(text, rights, **settings)
    return sources_open.open_source(asked, place(folder or tempfile.gettempdir()))

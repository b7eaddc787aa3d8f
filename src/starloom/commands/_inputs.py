"""Texts that a person names to be compared: a workspace, whose dataset it is, or anybody's data (dedup/inputs); and the
options that say how."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from starloom.dedup.inputs import Input
    from starloom.engine.local import LocalEngine

F = TypeVar("F", bound=Callable[..., Any])
TOKENISATIONS = ("words", "bigcode-v2", "text-dedup")  # of dedup.signature, which a help does not load
_SMALL = 64 << 20  # bytes of text that one process has measured before others have started


def column_options(function: F) -> F:
    """`--id`, `--content`: given as `id_column` and `content_column`, how texts and their names are found."""
    function = click.option(
        "--content", "content_column", metavar="COLUMN", help="The texts; default: content, text or code."
    )(function)
    return click.option(
        "--id", "id_column", metavar="COLUMN", help="What texts are called; default: id, else FILE:ROW."
    )(function)


def signature_options(function: F) -> F:
    """`--tokenisation`, `--permutations`: how texts are signed."""
    function = click.option(
        "--permutations", type=click.IntRange(1, 4096), default=256, show_default=True, help="Values of a signature."
    )(function)
    return click.option(
        "--tokenisation", type=click.Choice(TOKENISATIONS), default="words", show_default=True, help="What a token is."
    )(function)


def open_texts(path: Path, scratch: Path, id_column: str | None = None, content_column: str | None = None) -> "Input":
    """The texts at `path` with their ids; of a workspace `repo_name:path` of every file of its dataset, all splits.

    What must be staged lies below `scratch` as long as the input is used. Raises UserError.
    """
    from starloom.dedup.inputs import open_input, open_parquet_files
    from starloom.stages import SETTINGS_FILE
    from starloom.the_stack import tables

    if not (path / SETTINGS_FILE).is_file():
        return open_input(path, scratch, id_column, content_column)
    files = [file for split in ("train", "held_out") for file in tables.dataset(path, "files", split)]
    ids = ("repo_name", "path") if id_column is None else (id_column,)
    return open_parquet_files(
        str(path), [(str(file.relative_to(path)), file) for file in files], content_column or "content", ids
    )


def engine_for(sources: "Sequence[Input]", scratch: Path) -> "LocalEngine":
    """An engine for work on these texts, without a process more where they are few; it spills below `scratch`."""
    from starloom.dedup.text_files import runs
    from starloom.engine.local import LocalEngine
    from starloom.engine.verbs import EngineSettings

    size = sum(run.bytes for source in sources for run in runs(source.files))
    return LocalEngine(EngineSettings(workers=1 if size < _SMALL else 0), scratch / "spill")

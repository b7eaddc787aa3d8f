"""What commands on a workspace share: the options `-w`, `--json`, `--rights`, finding the workspace, printing JSON."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from starloom.errors import UserError

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "starloom.toml"
_LARGE, _LARGER = 1 << 20, 20 << 20  # characters of JSON from which a kernel's lines are faster; where it is not loaded


def workspace_option(function: F) -> F:
    """`-w DIR`: given to the command as `workspace`, a Path or None."""
    return click.option(
        "-w", "--workspace", type=click.Path(path_type=Path), help="The workspace; default: here, or a folder above."
    )(function)


def json_option(function: F) -> F:
    """`--json`: given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for programs.")(function)


def rights_option(function: F) -> F:
    """`--rights` of what makes a workspace."""
    return click.option(
        "--rights",
        type=click.Choice(["public", "owned"]),
        default="public",
        show_default=True,
        help="owned: your code, never dropped for its licence; what is made of it is marked as not publishable.",
    )(function)


def find(workspace: Path | None) -> Path:
    """The workspace that was named, or the one around the current folder. Raises UserError."""
    if workspace is not None:
        if not (_marked(workspace) or any(map(_marked, _above(workspace)))):
            raise UserError(
                f"{workspace} is no workspace: it has no {_MARK}", f"make one: starloom init {workspace} --from PATH"
            )
        return workspace.resolve()
    here = Path.cwd()
    if around := within(here):
        return around
    raise UserError(
        f"no workspace here: neither {here} nor a folder above has a {_MARK}",
        "make one with `starloom init DIR --from PATH`, or name one with `-w DIR`",
    )


def within(folder: Path) -> Path | None:
    """The workspace that `folder` is, or is in."""
    return next(filter(_marked, (folder, *folder.parents)), None)


def _marked(folder: Path) -> bool:
    return (folder / _MARK).is_file()


def _above(folder: Path) -> list[Path]:
    """The workspace of a folder of documents of one kind (`documents/KIND`), which answers as a workspace does."""
    from starloom.documents.steps import kind_of

    return [folder.absolute().parent.parent] if kind_of(folder) else []


def emit(value: Any) -> None:
    """One JSON object on stdout."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ": "), default=str)
    if len(line) < (_LARGE if "numba" in sys.modules else _LARGER):
        click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))
        return
    import numpy as np

    from starloom.kernels.indented import indented

    data = np.frombuffer(line.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    click.echo(indented(data).tobytes().decode("utf-8", "surrogatepass"))


def emit_line(value: Any) -> None:
    """One JSON object on a line of stdout, for what is shown as it is found."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))

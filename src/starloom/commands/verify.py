"""`starloom verify`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, json_option, within
from starloom.errors import UserError


@click.command("verify", short_help="Read every byte again against its manifest.")
@click.argument("path", type=click.Path(path_type=Path), default=".")
@json_option
def command(path: Path, as_json: bool) -> None:
    """Read every byte of a workspace, or of one of its folders, again and compare it with the manifests.

    \b
    Examples:
        starloom verify
        starloom verify my-stack/dataset
    """
    from starloom.outside.paths import printable
    from starloom.progress import counted
    from starloom.workspace.manifest import verify_all

    if not path.exists():
        raise UserError(f"{path} does not exist", "give a workspace, or one of its folders")
    checked, damaged = verify_all(path)
    problems = [problem for some in damaged.values() for problem in some]
    if as_json:
        emit({"proved": checked, "failed": problems})
    else:
        for problem in problems:
            click.echo(printable(f"failed: {problem}"))
        click.echo(f"{counted(checked, 'folders')} read again, {counted(len(problems), 'problems')}")
    if problems:
        raise UserError(f"{path} is damaged", "\n".join(map(_remedy, damaged)))


def _remedy(folder: Path) -> str:
    from starloom.stages import all_stages, made_stages
    from starloom.workspace.manifest import remedy

    there = folder.resolve()
    root = within(there)
    made = {"models", "documents", *(stage.folder.split("/")[0] for stage in (*all_stages(), *made_stages()))}
    if root and made.intersection(there.relative_to(root).parts[:1]):
        return remedy(there)
    return f"take {folder} again from where it came from: no stage of a workspace makes it"

"""`starloom clean`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("clean", short_help="Remove what nothing needs.")
@click.argument("stages", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@workspace_option
@json_option
def command(stages: tuple[str, ...], dry_run: bool, workspace: Path | None, as_json: bool) -> None:
    """Remove what nothing needs; with STAGES: their outputs, which `build`, or the command of
    that name, makes again.

    After mending a repository whose files were unreadable, `starloom clean list read` has them asked for again.
    Nothing but what Starloom made in this workspace is ever removed.

    \b
    Examples:
        starloom clean
        starloom clean list read --dry-run
    """
    from starloom.progress import counted, human
    from starloom.stages import all_stages, made_stages
    from starloom.workspace.clean import clean, removals

    known = (*all_stages(), *made_stages())
    names = [one.name for one in known]
    for stage in stages:
        if stage not in names:
            raise click.UsageError(f"`{stage}` is no stage; they are: {', '.join(names)}")
    root = find(workspace)
    found = removals(root, known, stages) if dry_run else clean(root, known, stages, "starloom clean")
    if as_json:
        emit({"removed": [{"path": str(one.path), "bytes": one.bytes, "reason": one.reason} for one in found]})
        return
    for one in found:
        click.echo(f"{human(one.bytes, 'bytes'):>9}  {one.path.relative_to(root)}: {one.reason}")
    size = human(sum(one.bytes for one in found), "bytes")
    click.echo(f"{'would remove' if dry_run else 'removed'} {counted(len(found), 'folders')}, {size}")

"""`starloom init`."""

from pathlib import Path

import click

from starloom.commands._workspace import rights_option

_MOST = 5  # problems told


@click.command("init", short_help="Make a workspace: a folder with settings.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "sources", multiple=True, required=True, metavar="SOURCE", help="Code; may be repeated.")
@click.option(
    "--recipe",
    default=None,
    help="What is kept: small (default), own-code (default for owned code), stack-v2, …, or a .toml file.",
)
@rights_option
def command(folder: Path, sources: tuple[str, ...], recipe: str | None, rights: str) -> None:
    """Make a workspace with a commented starloom.toml.

    SOURCE is one of

    \b
        FOLDER                 a git repository (bare or not), a folder of repositories, or any folder
        https://… git@…        a remote repository: its main branch is fetched
        FILE.tar.gz FILE.zip   an archive (tar, zip, wheel, sdist, .dsc); any other file is itself
        @LIST                  a text file of sources, one a line
        installed[:PREFIX]     the Python distributions of this (or another) environment
        pypi:NAME npm:NAME     a package by name; ==VERSION, @VERSION pin it
        debian:NAME            a Debian source package
        corpus:NAME            a named set of packages: see `starloom corpus list`
        swh:EXPORT             a Software Heritage graph export (a folder or s3://…)
        dataset:FOLDER         Parquet or JSONL with The Stack's columns; hub:OWNER/NAME from the Hub

    \b
    Examples:
        starloom init my-stack --from ~/src --from /srv/git/mirrors
        starloom init ours --from ~/work --rights owned
        starloom init lib --from pypi:requests --from npm:left-pad --from debian:zlib
    """
    import shlex

    from starloom.outside.paths import printable
    from starloom.progress import say
    from starloom.stages import initialise

    path, problems = initialise(folder, sources, recipe or ("own-code" if rights == "owned" else "small"), rights)
    for one in problems[:_MOST]:
        say(printable(f"{one.location}: {one.reason}") + (f"\n    {printable(one.hint)}" if one.hint else ""))
    if len(problems) > _MOST:
        say(f"and {len(problems) - _MOST:,} more that cannot be read; after a build `starloom status` names them all")
    click.echo(f"{path}\n\nnext: cd {shlex.quote(str(folder))} && starloom build")

"""`starloom init`."""

from pathlib import Path

import click


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "sources", multiple=True, required=True, metavar="PATH", help="Repositories; may be repeated.")
@click.option("--recipe", default=None, help="small (default), stack-v2, own-code, or a .toml file.")
@click.option("--rights", type=click.Choice(["public", "owned"]), default="public", show_default=True)
def command(folder: Path, sources: tuple[str, ...], recipe: str | None, rights: str) -> None:
    """Make a workspace with a commented starloom.toml.

    PATH is a git repository (bare or not), a folder of repositories, a plain folder, or `installed`: the Python
    distributions of this environment and the standard library.

    \b
    Examples:
        starloom init my-stack --from ~/src --from /srv/git/mirrors
        starloom init ours --from ~/work --rights owned
    """
    from starloom.stages import initialise

    path = initialise(folder, sources, recipe or ("own-code" if rights == "owned" else "small"), rights)
    click.echo(f"{path}\n\nnext: cd {folder} && starloom build")

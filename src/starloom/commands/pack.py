"""`starloom pack`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("pack", short_help="Pack the training text into token shards.")
@click.option("--variants", type=int, help="How often each document is laid out anew; default: [pack] variants.")
@workspace_option
@json_option
def command(variants: int | None, workspace: Path | None, as_json: bool) -> None:
    """Pack the training text into token shards, in tokens/.

    One document per repository, with fill-in-the-middle, as StarCoder2 was trained; a stream of tokens for each source
    of the mixture. With several variants, each draws anew what is cut where, the order of files and what documents tell
    of themselves, and a training goes from one to the next with each epoch. Nothing is done when the tokens are still
    those of dataset, tokenizer and settings; a run that was killed goes on where it was.

    \b
    Examples:
        starloom pack
        starloom pack --variants 4
        starloom pack --json | jq .tokens
    """
    from dataclasses import replace

    from starloom.errors import UserError
    from starloom.progress import say
    from starloom.stages import SETTINGS_FILE, load_settings
    from starloom.the_stack import tables
    from starloom.tokens.hub_format import FOLDER
    from starloom.tokens.pack import STAGE
    from starloom.workspace.manifest import read_manifest
    from starloom.workspace.run import build

    root = find(workspace)
    settings = load_settings(root)
    tables.dataset(root, "files", "train")  # refused here, when it is missing, before the tokenizer is asked for
    if read_manifest(root / FOLDER) is None:
        raise UserError(f"{root / FOLDER} is missing: packing needs a tokenizer", "run `starloom tokenizer`")
    differs = variants is not None and variants != settings.pack.variants
    if variants is not None:
        settings = replace(settings, pack=replace(settings.pack, variants=variants))
    build(root, [STAGE], settings, settings.engine, "starloom pack")
    if differs:
        say(
            f"note: {root / SETTINGS_FILE} says otherwise, so `starloom status` will call these tokens stale; to keep "
            f"them, write into section [pack]: variants = {variants}"
        )
    manifest = read_manifest(root / STAGE.folder)
    if as_json:
        emit({"folder": str(root / STAGE.folder), **(manifest.facts if manifest else {})})
    else:
        click.echo(root / STAGE.folder)

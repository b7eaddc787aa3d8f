"""`starloom pack`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("pack")
@workspace_option
@json_option
def command(workspace: Path | None, as_json: bool) -> None:
    """Pack the training text into token shards, in tokens/.

    One document per repository, with fill-in-the-middle, as StarCoder2 was trained. Nothing is done when the tokens are
    still those of dataset, tokenizer and settings.

    \b
    Examples:
        starloom pack
        starloom pack --json | jq .tokens
    """
    from starloom.errors import UserError
    from starloom.stages import load_settings
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
    build(root, [STAGE], settings, settings.engine, "starloom pack")
    manifest = read_manifest(root / STAGE.folder)
    if as_json:
        emit({"folder": str(root / STAGE.folder), **(manifest.facts if manifest else {})})
    else:
        click.echo(root / STAGE.folder)

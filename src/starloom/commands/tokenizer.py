"""`starloom tokenizer`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("tokenizer")
@click.option("--vocabulary", type=int, help="Number of tokens; default: [tokenizer] vocabulary of starloom.toml.")
@click.option("--from", "base", type=click.Path(path_type=Path), help="Take the tokenizer.json of this folder instead.")
@workspace_option
@json_option
def command(vocabulary: int | None, base: Path | None, workspace: Path | None, as_json: bool) -> None:
    """Train a tokenizer on the dataset, or take an existing one.

    Byte-level BPE with StarCoder2's special tokens, trained on the train split only. Prints the bytes per token on
    held-out text.

    \b
    Examples:
        starloom tokenizer
        starloom tokenizer --vocabulary 8192
        starloom tokenizer --from ~/models/starcoder2-3b
    """
    from dataclasses import replace

    from starloom.errors import UserError
    from starloom.progress import say
    from starloom.stages import SETTINGS_FILE, load_settings
    from starloom.tokens.hub_format import FOLDER
    from starloom.tokens.tokenizer import STAGE
    from starloom.workspace.manifest import read_manifest
    from starloom.workspace.run import build

    if vocabulary is not None and base is not None:
        raise UserError("--vocabulary is for training, --from takes a tokenizer as it is", "give one of them")
    root = find(workspace)
    settings = load_settings(root)
    wanted = settings.tokenizer
    if vocabulary is not None:
        wanted = replace(wanted, vocabulary=vocabulary, base="")
    if base is not None:
        wanted = replace(wanted, base=str(base.expanduser().absolute()) if base.is_dir() else str(base))
    differs = [
        f"{name} = {value!r}".replace("'", '"')
        for name, value in (("vocabulary", wanted.vocabulary), ("base", wanted.base))
        if value != getattr(settings.tokenizer, name)
    ]
    build(root, [STAGE], replace(settings, tokenizer=wanted), settings.engine, "starloom tokenizer")
    if differs:
        say(
            f"note: {root / SETTINGS_FILE} says otherwise, so `starloom status` will call the tokenizer stale; to keep "
            f"it, write into section [tokenizer]: {', '.join(differs)}"
        )
    manifest = read_manifest(root / FOLDER)
    facts = manifest.facts if manifest else {}
    if as_json:
        emit({"folder": str(root / FOLDER), **facts})
    else:
        click.echo(
            f"{root / FOLDER}: {facts['vocabulary']:,} tokens, {facts['bytes_per_token']:.2f} bytes per token on "
            f"{facts['measured_on'].replace('_', '-')} text"
        )

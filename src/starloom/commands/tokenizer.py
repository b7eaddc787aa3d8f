from pathlib import Path
from typing import TYPE_CHECKING

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.stages import Settings


@click.command("tokenizer", short_help="Train a tokenizer, or take one; report what it is worth.")
@click.option("--vocabulary", type=int, help="Number of tokens; default: [tokenizer] vocabulary of starloom.toml.")
@click.option(
    "--from", "base", type=click.Path(path_type=Path), help="Take the tokenizer of this folder, or this tokenizer.json."
)
@click.option("--report", is_flag=True, help="Make nothing: show the report of the tokenizer that is there.")
@click.option(
    "--compare",
    "others",
    type=click.Path(path_type=Path),
    multiple=True,
    help="With --report: another tokenizer's folder, measured on the same text; may be repeated.",
)
@click.option("--raw", is_flag=True, help="With --report: show the tokens that look private as they are spelled.")
@workspace_option
@json_option
def command(
    vocabulary: int | None,
    base: Path | None,
    report: bool,
    others: tuple[Path, ...],
    raw: bool,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Train a tokenizer on the dataset, or take an existing one.

    Byte-level BPE with StarCoder2's special tokens, trained on a sample of the train split that has the languages of
    what is trained on, in the same shares. Of the Hub's tokenizers any is taken that has a tokenizer.json, or GPT-2's
    vocab.json and merges.txt. Prints the bytes per token on held-out text; --report tells more: bytes per token of each
    language, also of other tokenizers; the longest and rarest tokens; those that look like a secret, an address or a
    name.

    \b
    Examples:
        starloom tokenizer
        starloom tokenizer --vocabulary 8192
        starloom tokenizer --from ~/models/starcoder2-3b
        starloom tokenizer --report --compare ~/models/starcoder2-3b
    """
    from starloom.errors import UserError
    from starloom.stages import load_settings
    from starloom.tokens.hub_format import FOLDER
    from starloom.workspace.manifest import read_manifest

    if vocabulary is not None and base is not None:
        raise UserError("--vocabulary is for training, --from takes a tokenizer as it is", "give one of them")
    if report and (vocabulary is not None or base is not None):
        raise UserError("--report shows the tokenizer that is there", "make another one first, without --report")
    if (others or raw) and not report:
        raise UserError("--compare and --raw are for the report", "add --report")
    root = find(workspace)
    if report:
        _report(root, others, raw, as_json)
        return
    _make(root, load_settings(root), vocabulary, base)
    manifest = read_manifest(root / FOLDER)
    facts = manifest.facts if manifest else {}
    if as_json:
        emit({"folder": str(root / FOLDER), **facts})
    else:
        rare, private = facts["hardly_used"], facts["private"]
        click.echo(
            f"{root / FOLDER}: {facts['vocabulary']:,} tokens, {facts['bytes_per_token']:.2f} bytes per token on "
            f"{facts['measured_on'].replace('_', '-')} text\n"
            f"{rare:,} of them {'is' if rare == 1 else 'are'} hardly used, "
            f"{private:,} look{'s' if private == 1 else ''} private: `starloom tokenizer --report`"
        )


def _make(root: Path, settings: "Settings", vocabulary: int | None, base: Path | None) -> None:
    from dataclasses import replace

    from starloom.progress import say
    from starloom.stages import SETTINGS_FILE
    from starloom.tokens.tokenizer_stage import STAGE
    from starloom.workspace.run import build

    wanted = settings.tokenizer
    if vocabulary is not None:
        wanted = replace(wanted, vocabulary=vocabulary, base="")
    if base is not None:
        wanted = replace(wanted, base=str(base.expanduser().resolve()) if base.expanduser().exists() else str(base))
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


def _report(root: Path, others: tuple[Path, ...], raw: bool, as_json: bool) -> None:
    from starloom.tokens.hub_format import FOLDER
    from starloom.tokens.tokenizer import Tokenizer
    from starloom.tokens.tokenizer_page import page
    from starloom.tokens.tokenizer_report import compare, read_report, to_json

    found = read_report(root)
    own = Tokenizer.open(root / FOLDER) if others or raw else None
    compared = compare(root, found, [folder.expanduser() for folder in others], own) if own else []
    if as_json:
        emit({"folder": str(root / FOLDER), **to_json(found, compared, own if raw else None)})
    else:
        click.echo(page(str(root / FOLDER), found, compared, own if raw else None))

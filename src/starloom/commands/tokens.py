"""`starloom tokens`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.progress import Task
    from starloom.tokens.packed import Packed, Shards
    from starloom.tokens.tokenizer import Tokenizer

_tokens_option = click.option(
    "--tokens",
    "place",
    metavar="FOLDER|URL",
    help="Packed tokens, here or at s3:// or https://; default: the workspace's.",
)


@click.group("tokens", short_help="Packed tokens: what is in them, to and from other trainers.")
def command() -> None:
    """What is in packed tokens; export to and import from other trainers' formats.

    \b
    Examples:
        starloom tokens show
        starloom tokens export megatron exported/code
        starloom tokens import wiki_text_document --tokenizer ~/models/starcoder2-3b --to wiki
    """


@command.command("show", short_help="What they hold, what was drawn, what packing wastes and cuts.")
@_tokens_option
@click.option(
    "--sequence",
    "sequences",
    type=click.IntRange(1),
    multiple=True,
    help="Tokens of a row, to see what packing wastes and cuts. Repeats; default: 2048, 4096 and 16384.",
)
@click.option("--tokenizer", "made_by", type=click.Path(path_type=Path), help="Default: the folder beside the tokens.")
@workspace_option
@json_option
def show(
    place: str | None, sequences: tuple[int, ...], made_by: Path | None, workspace: Path | None, as_json: bool
) -> None:
    """Show what the packed tokens hold, what was drawn, and what each way of packing wastes and cuts.

    Shares of documents that tell their name and of files cut for fill-in-the-middle are counted in the tokens, beside
    what the settings say. Both packings are shown side by side: rows, padding, documents and files that are cut.

    \b
    Examples:
        starloom tokens show
        starloom tokens show --sequence 8192
        starloom tokens show --json | jq '.streams[].bytes_per_token'
    """
    from starloom.tokens.pack_report import SEQUENCES, pack_report
    from starloom.tokens.pack_report_page import page

    packed = _open(place, workspace)
    tokenizer = _tokenizer(packed, made_by)
    report = pack_report(packed, tokenizer, sequences or SEQUENCES)
    if as_json:
        emit(report)
    else:
        click.echo(page(report))


@command.command("export", short_help="Write them for Megatron-LM, or for litdata.")
@click.argument("format_", metavar="FORMAT", type=click.Choice(["megatron", "litdata"]))
@click.argument("target", metavar="PREFIX|DIR", type=click.Path(path_type=Path))
@click.option("--source", help="Which source of the mixture; needed where there are several.")
@click.option("--variant", type=click.IntRange(0), default=0, show_default=True, help="Which variant of it.")
@_tokens_option
@workspace_option
@json_option
def export(
    format_: str,
    target: Path,
    source: str | None,
    variant: int,
    place: str | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Write packed tokens for another trainer, in FORMAT megatron or litdata.

    megatron: PREFIX.bin and PREFIX.idx, for Megatron-LM and NeMo. One sequence per document, end of text included:
    train with --data-path PREFIX, and the folder of the tokenizer as --tokenizer-model. What was imported comes out as
    it came in, byte for byte.

    litdata: the folder DIR, for its StreamingDataset with TokensLoader.

    Fill-in-the-middle is in the tokens already: do not apply it again.

    \b
    Examples:
        starloom tokens export megatron exported/code
        starloom tokens export megatron exported/python-1 --source python --variant 1
        starloom tokens export litdata exported/chunks
    """
    from starloom import progress
    from starloom.tokens import litdata

    packed = _open(place, workspace)
    stream = packed.stream(*_one(packed, source, variant))
    target = target.expanduser()
    with progress.task("export", stream.tokens * stream.dtype.itemsize) as bar:
        if format_ == "megatron":
            said, where = _megatron(packed, stream, target, bar)
        else:
            said = {"folder": str(target), "chunks": litdata.export(packed, stream, target, bar)}
            where = f"{target}: {progress.counted(said['chunks'], 'chunks')}"
    if as_json:
        about = {"tokens": stream.tokens, "documents": stream.documents, "tokenizer": packed.tokenizer}
        emit({"format": format_, "stream": stream.name, **said, **about})
    else:
        click.echo(f"{where}, {progress.counted(stream.tokens, 'tokens')}")


def _megatron(packed: "Packed", stream: "Shards", prefix: Path, bar: "Task") -> tuple[dict[str, Any], str]:
    from starloom.commands._output import check_outputs, output
    from starloom.errors import UserError
    from starloom.progress import counted
    from starloom.tokens import megatron

    payload, index = megatron.names(prefix)
    check_outputs({"PREFIX.bin": payload, "PREFIX.idx": index}, [packed.folder])
    for path in (payload, index):
        if path.exists():
            raise UserError(f"{path} is there already", "delete it if it is of no use, or choose another prefix")
    with (
        output(index) as index_file,  # in its place last: without it nobody takes the payload for whole
        output(payload) as payload_file,
    ):
        found = megatron.write(packed, stream, payload_file, index_file, bar)
    said = {"payload": str(payload), "index": str(index), "sequences": len(found.lengths), "dtype": found.dtype.name}
    return said, f"{payload}, {index.name}: {counted(len(found.lengths), 'sequences')}"


@command.command("import", short_help="Take those of Megatron-LM.")
@click.argument("prefix", type=click.Path(path_type=Path))
@click.option(
    "--tokenizer",
    "made_by",
    type=click.Path(path_type=Path),
    help="The folder of the tokenizer that made them; default: the workspace's.",
)
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@workspace_option
@json_option
def import_(prefix: Path, made_by: Path | None, folder: Path, workspace: Path | None, as_json: bool) -> None:
    """Take PREFIX.bin and PREFIX.idx of Megatron-LM as packed tokens, in a folder of their own.

    To train on it, name the folder as `tokens` of a source under [[mixture]] in starloom.toml. Every token is checked
    against the tokenizer; a pair that is torn, or whose index points where it should not, is refused.

    \b
    Examples:
        starloom tokens import wiki_text_document --tokenizer ~/models/starcoder2-3b --to wiki
        starloom tokens show --tokens wiki --tokenizer ~/models/starcoder2-3b
    """
    from dataclasses import asdict

    from starloom.progress import counted, say
    from starloom.tokens.hub_format import FOLDER as TOKENIZER
    from starloom.tokens.megatron_import import import_pair
    from starloom.tokens.tokenizer import Tokenizer

    tokenizer = Tokenizer.open(made_by.expanduser() if made_by else find(workspace) / TOKENIZER)
    folder = folder.expanduser().resolve()
    found = import_pair(prefix.expanduser(), tokenizer, folder)
    left_out = [
        counted(number, what)
        for number, what in (
            (found.empty_documents, "empty documents"),
            (found.empty_sequences, "empty sequences"),
            (found.unread_bytes, "unused bytes"),
        )
        if number
    ]
    if left_out:
        say(f"note: left out: {', '.join(left_out)}")
    if found.ended < found.documents:
        end = tokenizer.decode([tokenizer.end_of_text])
        without = counted(found.documents - found.ended, "documents")
        say(f"note: {without} of {found.documents:,} do not end with {end}: a model learns from it where a text ends")
    if as_json:
        emit({"folder": str(folder), **asdict(found), "tokenizer": tokenizer.sha256})
    else:
        many = f"{counted(found.documents, 'documents')}, {counted(found.sequences, 'sequences')}"
        click.echo(f"{folder}: {counted(found.tokens, 'tokens')} in {many}")


def _open(place: str | None, workspace: Path | None) -> "Packed":
    from starloom.tokens.packed import Packed
    from starloom.tokens.remote import opened
    from starloom.tokens.shards import FOLDER

    return opened(place, Path.cwd()) if place else Packed.open(find(workspace) / FOLDER)


def _tokenizer(packed: "Packed", given: Path | None) -> "Tokenizer | None":
    """The tokenizer of the tokens; None, with a word to the person, where it is not known. Raises UserError for one
    that was named and is another."""
    from starloom.errors import UserError
    from starloom.progress import say
    from starloom.tokens.hub_format import FILE, FOLDER
    from starloom.tokens.tokenizer import Tokenizer

    folder = given.expanduser() if given else packed.folder.parent / FOLDER
    if given or (folder / FILE).is_file():
        found = Tokenizer.open(folder)
        if found.sha256 == packed.tokenizer:
            return found
        if given:
            raise UserError(
                f"{folder} is another tokenizer ({found.sha256[:12]}) than made {packed.place} "
                f"({packed.tokenizer[:12]})",
                "name the folder of the one that made it",
            )
    say(f"note: the tokenizer of {packed.place} is not known, so its markers are not counted: name it, --tokenizer DIR")
    return None


def _one(packed: "Packed", source: str | None, variant: int) -> tuple[str, int]:
    """A source and variant that are there. Raises UserError."""
    from starloom.errors import UserError

    names = ", ".join(packed.sources)
    if source is None and len(packed.sources) > 1:
        raise UserError(f"{packed.place} has several sources: {names}", "choose one: --source NAME")
    if source is not None and source not in packed.sources:
        raise UserError(f"{packed.place} has no source {source!r}", f"there are: {names}")
    if variant >= packed.variants:
        raise UserError(
            f"{packed.place} has no variant {variant}: there are {packed.variants}",
            f"they count from 0; more are made by `starloom pack --variants {variant + 1}`",
        )
    return source or packed.sources[0], variant

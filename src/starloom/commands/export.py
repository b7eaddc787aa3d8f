"""`starloom export`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from starloom.commands._workspace import emit, json_option, workspace_option
from starloom.commands.generate import DTYPES, root_for

if TYPE_CHECKING:
    from starloom.starcoder2.export import Terms

_CONVERTER = "convert_hf_to_gguf.py"  # of llama.cpp


@click.command("export", short_help="Write a model as a folder to give away, or as GGUF.")
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dtype", type=click.Choice(DTYPES), help="Of the weights; default: as is.")
@click.option("--shard-size", default="5GB", show_default=True, metavar="SIZE", help="Most of one file: 500MB, 2GiB.")
@click.option("--license", "spdx", metavar="NAME", help="The licence that the card names; default: the model's own.")
@click.option(
    "--gguf",
    is_flag=False,
    flag_value=_CONVERTER,
    metavar="PATH",
    help=f"Also write FOLDER.gguf by llama.cpp's {_CONVERTER}, which is there or on the PATH.",
)
@workspace_option
@json_option
def command(
    model: str,
    folder: Path,
    dtype: str | None,
    shard_size: str,
    spdx: str | None,
    gguf: str | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Write MODEL, a run or the folder of a Hugging Face model, as FOLDER: sharded safetensors and their index,
    configuration, tokenizer, generation_config.json, a card with the licence.

    What is written loads in transformers. Without --dtype every tensor keeps its bytes. An adapter is added to
    its base.

    \b
    Examples:
        starloom export small ~/models/small --license apache-2.0
        starloom export small ~/models/small --dtype bfloat16 --shard-size 2GB
        starloom export small ~/models/small --gguf ~/llama.cpp/convert_hf_to_gguf.py
    """
    from dataclasses import asdict

    from starloom.training.runs import resolve

    most = _bytes(shard_size)
    source = resolve(root_for(workspace, model), model)

    from starloom.starcoder2 import export
    from starloom.starcoder2 import gguf as ggufs

    if gguf:
        ggufs.find(gguf)  # before a long copy
    made = export.export(
        source, folder, _terms(source, spdx), dtype=export.DTYPES[dtype] if dtype else None, shard_bytes=most
    )
    converted = ggufs.convert(folder, gguf, made.dtype) if gguf else None
    if as_json:
        emit(asdict(made) | {"folder": str(made.folder), "gguf": str(converted) if converted else None})
        return
    files = f"{made.shards} file" + "s" * (made.shards > 1)
    click.echo(f"{folder}: {made.parameters:,} parameters in {made.dtype}, {made.bytes / 1e6:,.1f} MB in {files}")
    if converted:
        click.echo(f"{converted}: {converted.stat().st_size / 1e6:,.1f} MB")


def _terms(source: Path, spdx: str | None) -> "Terms":
    """The licence of the model in `source`, else the one that was named. Raises UserError where they differ."""
    from starloom.errors import UserError
    from starloom.starcoder2.export import Terms
    from starloom.starcoder2.open import whole_model
    from starloom.training.finetune.base import UNKNOWN, terms_of

    told = [terms_of(folder) for folder in {source: None, whole_model(source): None}]
    own = next((one for one in told if one.license != UNKNOWN), told[0])
    if spdx and own.license not in (UNKNOWN, spdx.lower()):
        raise UserError(
            f"{source} is given under {own.license}, and --license says {spdx}",
            "leave --license out: the licence goes along with the model",
        )
    return Terms(spdx or (own.license if own.license != UNKNOWN else ""), own.files)


def _bytes(text: str) -> int:
    """A size as people write it. Raises UsageError."""
    units = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30}
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*(|[KMG]I?)B?", text.strip().upper())
    if not found or not (size := int(float(found[1]) * units[found[2]])):
        raise click.UsageError(f"--shard-size {text}: give a size such as 5GB or 500MB")
    return size

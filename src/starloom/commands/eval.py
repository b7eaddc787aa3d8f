"""`starloom eval`: how good a model is."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.group("eval")
def command() -> None:
    """Measure how good a model is.

    \b
    Example:
        starloom eval run
    """


@command.command("run", short_help="Bits per byte on held-out repositories.")
@click.argument("model", default="")
@click.option(
    "--bytes",
    "most_bytes",
    type=click.IntRange(1),
    default=200_000,
    show_default=True,
    help="Of held-out text, whole files, drawn by --seed.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Which files are drawn, and the interval's resamples.",
)
@workspace_option
@json_option
def run(model: str, most_bytes: int, seed: int, workspace: Path | None, as_json: bool) -> None:
    """Bits per byte on held-out repositories, beside an n-gram's on the same text. Less is better.

    MODEL is a run of `starloom train`, or the folder of any Hugging Face causal language model; default: the newest
    finished run. The interval says how far another sample of files would have moved the figure.

    \b
    Examples:
        starloom eval run
        starloom eval run small --bytes 1000000
        starloom eval run ~/models/starcoder2-3b --json
    """
    from starloom.leaderboard.bits_per_byte import evaluate

    found = evaluate(find(workspace), model, most_bytes, seed)
    if as_json:
        emit({"scores": found.rows()})
        return
    click.echo(f"{found.words()}\n\n{found.folder / 'scores.json'}")

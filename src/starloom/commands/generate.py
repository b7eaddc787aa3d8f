"""`starloom generate`."""

import re
import sys
from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("generate")
@click.argument("prompt", required=False)
@click.option("--suffix", metavar="TEXT", help="The text after the cursor: fills in what is between.")
@click.option(
    "--model", metavar="RUN|DIR", help="A run, or the folder of a Hugging Face model; default: the newest finished run."
)
@click.option("--max-tokens", default=64, show_default=True, help="The text ends after so many.")
@click.option("--temperature", default=0.2, show_default=True, help="0: always the likeliest token.")
@click.option("--top-p", default=0.95, show_default=True, help="Draw from the likeliest tokens that together have it.")
@click.option("--seed", type=int, help="The same seed gives the same text; default: another one each time.")
@click.option("--stop", multiple=True, metavar="TEXT", help="The text ends before it; may be repeated.")
@click.option("--fit", is_flag=True, help="Cut a prompt that is longer than the model's window, far from the cursor.")
@workspace_option
@json_option
def command(
    prompt: str | None,
    suffix: str | None,
    model: str | None,
    max_tokens: int,
    temperature: float,
    top_p: float,
    seed: int | None,
    stop: tuple[str, ...],
    fit: bool,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Let a model go on from PROMPT; the text comes as it is made.

    PROMPT is text, @FILE, or - for standard input; --suffix may be @FILE too.

    \b
    Examples:
        starloom generate 'def read_json(path):'
        starloom generate 'def add(a, b):' --suffix '    return total' --stop return
        starloom generate @half.py --model ~/models/starcoder2-3b --fit
    """
    from starloom.completion.request import Request
    from starloom.training.runs import resolve

    if prompt is None and suffix is None:
        raise click.UsageError("Missing argument 'PROMPT'.")
    request = Request(
        _text(prompt or ""),
        suffix=None if suffix is None else _text(suffix),
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        stop=stop,
        seed=seed,
        fit=fit,
    )
    folder = resolve(_root(workspace, model), model or "")

    from starloom.completion.local import LocalCompleter

    completer = LocalCompleter.open(folder)
    if as_json:
        done = completer.complete(request)
        emit({"choices": [{"text": done.text, "finish_reason": done.finish_reason}], "model": completer.name})
        return
    terminal = sys.stdout.isatty()
    for piece in completer.stream(request):
        click.echo(_harmless(piece.text) if terminal else piece.text, nl=False)
    click.echo()


def _text(given: str) -> str:
    """Text as given, of @FILE, or of standard input."""
    from starloom.errors import UserError

    if given != "-" and not given.startswith("@"):
        return given
    where = "standard input" if given == "-" else given[1:]
    try:
        data = sys.stdin.buffer.read() if given == "-" else Path(where).read_bytes()
        return data.decode("utf-8")
    except OSError as problem:
        raise UserError(f"cannot read {where}: {problem.strerror}", "give a text file, or the text itself") from None
    except UnicodeDecodeError:
        raise UserError(f"{where} is not UTF-8", "convert it: iconv -t UTF-8") from None


def _harmless(text: str) -> str:
    """For a terminal: what would steer it as visible escapes; line ends and tabs as they are."""
    from starloom.outside.paths import printable

    return re.sub(r"[^\n\t]+", lambda found: printable(found[0]), text)


def _root(workspace: Path | None, model: str | None) -> Path | None:
    """The workspace; None where there is none and the model is a folder, which needs none."""
    from starloom.errors import UserError

    try:
        return find(workspace)
    except UserError:
        if workspace is None and model and Path(model).expanduser().is_dir():
            return None
        raise

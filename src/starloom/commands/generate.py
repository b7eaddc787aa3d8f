"""`starloom generate`."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from starloom.commands._workspace import emit, emit_line, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.completion.local import LocalCompleter
    from starloom.completion.request import Request

DTYPES = ("float32", "bfloat16", "float16")


@click.command("generate", short_help="Let a model go on from a prompt, or fill in.")
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
@click.option("--samples", type=click.IntRange(1, 1000), default=1, metavar="N", help="So many answers, made together.")
@click.option(
    "--prompts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='JSON Lines: texts, or {"prompt", "suffix", …}; answers are JSON Lines too.',
)
@click.option("--dtype", type=click.Choice(DTYPES), help="Of the weights; default: float32, on a GPU bfloat16.")
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
    samples: int,
    prompts: Path | None,
    dtype: str | None,
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
        starloom generate --prompts prompts.jsonl --samples 4 > answers.jsonl
    """
    from starloom.completion.request import Request
    from starloom.training.runs import resolve

    if prompts is not None and not (prompt is None and suffix is None):
        raise click.UsageError("give PROMPT or --prompts, not both")
    if prompts is None and prompt is None and suffix is None:
        raise click.UsageError("Missing argument 'PROMPT'.")
    request = Request(
        _text(prompt or "") if prompts is None else "-",  # whatever stands here, each line has its own
        suffix=None if suffix is None else _text(suffix),
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        stop=stop,
        seed=seed,
        fit=fit,
    )
    folder = resolve(root_for(workspace, model), model or "")

    from starloom.completion.local import LocalCompleter

    completer = LocalCompleter.open(folder, dtype=dtype)
    if prompts is not None:
        _answer_lines(completer, prompts, request, samples)
    elif samples > 1 or as_json:
        done = completer.complete_batch(_several(request, samples))
        if as_json:
            choices = [{"text": one.text, "finish_reason": one.finish_reason} for one in done]
            emit({"choices": choices, "model": completer.name})
            return
        for number, one in enumerate(done, 1):
            click.echo(f"--- {number} of {samples}")
            click.echo(_shown(one.text))
    else:
        for piece in completer.stream(request):
            click.echo(_shown(piece.text), nl=False)
        click.echo()


def _answer_lines(completer: "LocalCompleter", path: Path, like: "Request", samples: int) -> None:
    """One line of JSON for each answer, in order of the file, as many answers at a time as the model takes."""
    from itertools import islice

    from starloom.completion.local import MOST_ROWS
    from starloom.completion.request_lines import requests

    asked = ((line, at, one) for line, each in requests(path, like) for at, one in enumerate(_several(each, samples)))
    while some := list(islice(asked, MOST_ROWS)):
        for (line, sample, _), done in zip(some, completer.complete_batch([one for *_, one in some]), strict=True):
            told = {"text": done.text, "finish_reason": done.finish_reason, "truncated": done.truncated}
            emit_line({"line": line, "sample": sample, **told})


def _several(request: "Request", samples: int) -> "list[Request]":
    """The request as often as it is to be answered, each with a seed of its own where one is given."""
    from dataclasses import replace

    return [replace(request, seed=None if request.seed is None else request.seed + at) for at in range(samples)]


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


def _shown(text: str) -> str:
    """On a terminal what would steer it comes as visible escapes; line ends and tabs as they are."""
    from starloom.outside.paths import printable

    if not sys.stdout.isatty():
        return text
    return re.sub(r"[^\n\t]+", lambda found: printable(found[0]), text)


def root_for(workspace: Path | None, model: str | None) -> Path | None:
    """The workspace; None where there is none and the model is a folder, which needs none."""
    from starloom.errors import UserError

    try:
        return find(workspace)
    except UserError:
        if workspace is None and model and Path(model).expanduser().is_dir():
            return None
        raise

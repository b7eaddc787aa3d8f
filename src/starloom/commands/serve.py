"""`starloom serve`."""

from pathlib import Path

import click

from starloom.commands._workspace import find, workspace_option


@click.command("serve", short_help="Web pages and completions on 127.0.0.1.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="0: any that is free.")
@click.option(
    "--model", metavar="RUN|DIR", help="A run, or the folder of a Hugging Face model; default: the newest finished run."
)
@click.option("--shards", metavar="0-3,7", help="Serve these shards of the indexes to other servers; no pages.")
@click.option("--peer", "peers", multiple=True, metavar="URL", help="A server with shards, to be asked too; repeats.")
@workspace_option
def command(
    host: str, port: int, model: str | None, shards: str | None, peers: tuple[str, ...], workspace: Path | None
) -> None:
    """Serve the web pages and OpenAI-compatible completions, on this machine.

    Pages: /search, /check, /report, and /file?repo=REPOSITORY&path=PATH (&lines=12-20), a file of the dataset and why
    it is there. API: POST /v1/completions with `suffix` and `stream`, GET /v1/models, /health, and POST /overlap,
    BigCode's membership test. What is not there yet (an index, a model) is told with the command that makes it.

    An index too large for one machine: `--shards` there, `--peer` for each of them here; answers are those of one
    index, and partial where a peer is down. With both, the shards named are those of this machine.

    \b
    Examples:
        starloom serve
        starloom serve --port 8001 --model ~/models/starcoder2-3b
        starloom serve --shards 0-3 --host 10.0.0.2
        starloom serve --peer http://10.0.0.2:8000 --peer http://10.0.0.3:8000
    """
    from starloom.errors import UserError
    from starloom.progress import say
    from starloom.server.app import NO_MODEL, make_app
    from starloom.server.guard import is_loopback
    from starloom.server.run import bind, run, url
    from starloom.server.shards import check_numbers
    from starloom.training.runs import resolve

    root = find(workspace)
    numbers = None if shards is None else _numbers(shards)
    for_others = numbers is not None and not peers
    warnings = check_numbers(root, numbers) if numbers is not None else []
    with bind(host, port) as bound:  # before the model is loaded: a port in use is told at once
        completer, no_model = None, NO_MODEL
        try:
            folder = None if for_others else resolve(root, model or "")
        except UserError as problem:
            if model:
                raise
            folder, no_model = None, problem
        if folder:
            from starloom.completion.local import LocalCompleter

            completer = LocalCompleter.open(folder)
        app = make_app(root, completer, no_model=no_model, host=host, numbers=numbers, peers=peers)
        for warning in warnings:
            say(f"warning: {warning}")
        if not is_loopback(host):
            say(f"warning: {host} can be reached from other machines, and nothing here asks for a password")
        click.echo(url(bound))
        if for_others:
            say(f"shards {shards} of the indexes, for `starloom serve --peer`")
        else:
            say(f"model {completer.name}" if completer else f"no model: {no_model.problem}")
        say("Ctrl-C ends it")
        run(app, bound)


def _numbers(shards: str) -> frozenset[int]:
    """`0-3,7` → 0, 1, 2, 3, 7."""
    import re

    found: set[int] = set()
    for part in shards.split(","):
        ends = re.fullmatch(r"\s*([0-9]{1,4})(?:\s*-\s*([0-9]{1,4}))?\s*", part)
        if ends is None or int(ends[2] or ends[1]) < int(ends[1]):
            raise click.BadParameter(f"{part!r} is neither a number nor a range such as 0-3", param_hint="--shards")
        found.update(range(int(ends[1]), int(ends[2] or ends[1]) + 1))
    return frozenset(found)

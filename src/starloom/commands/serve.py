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
@workspace_option
def command(host: str, port: int, model: str | None, workspace: Path | None) -> None:
    """Serve the web pages and OpenAI-compatible completions, on this machine.

    Pages: search, check, report. API: POST /v1/completions with `suffix` and `stream`, GET /v1/models, /health. What
    is not there yet (an index, a model) is told with the command that makes it.

    \b
    Examples:
        starloom serve
        starloom serve --port 8001 --model ~/models/starcoder2-3b
    """
    from starloom.errors import UserError
    from starloom.progress import say
    from starloom.server.app import NO_MODEL, make_app
    from starloom.server.guard import is_loopback
    from starloom.server.run import bind, run, url
    from starloom.training.runs import resolve

    root = find(workspace)
    with bind(host, port) as bound:  # before the model is loaded: a port in use is told at once
        completer, no_model = None, NO_MODEL
        try:
            folder = resolve(root, model or "")
        except UserError as problem:
            if model:
                raise
            no_model = problem
        else:
            from starloom.completion.local import LocalCompleter

            completer = LocalCompleter.open(folder)
        app = make_app(root, completer, no_model=no_model, host=host)
        if not is_loopback(host):
            say(f"warning: {host} can be reached from other machines, and nothing here asks for a password")
        click.echo(url(bound))
        say(f"model {completer.name}" if completer else f"no model: {no_model.problem}")
        say("Ctrl-C ends it")
        run(app, bound)

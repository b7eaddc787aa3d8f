"""`starloom tune`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("tune", short_help="What a rule would keep with another limit.")
@click.argument("rule")
@click.option("--column", default=None, help="Only the limit on this column, of a rule with several.")
@click.option("--at", type=float, multiple=True, metavar="LIMIT", help="Try this limit; may be repeated.")
@click.option("--samples", type=click.IntRange(0), default=5, show_default=True, help="Files to show on each side.")
@click.option("--exact", is_flag=True, help="Decide anew for every limit: near-duplicates and budgets too.")
@workspace_option
@json_option
def command(
    rule: str,
    column: str | None,
    at: tuple[float, ...],
    samples: int,
    exact: bool,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """How many files and bytes a rule would keep with other limits, and the files on both sides of the line.

    RULE is a rule that compares a number, a budget, or near-duplicate (the Jaccard similarity from which one of two
    files goes). Nothing is written and no file is read again: change the limit in starloom.toml, and the next `starloom
    build` decides by it. For near-duplicate and budgets every limit is decided anew, which takes some seconds each.

    \b
    Examples:
        starloom tune long-line
        starloom tune long-line --column max_line_length --at 500 --at 2000
        starloom tune near-duplicate --json | jq '.limits[0].kept'
    """
    import math

    from starloom.errors import UserError
    from starloom.stages import load_settings
    from starloom.the_stack.tune import tune
    from starloom.the_stack.tune_words import words
    from starloom.workspace.run import engine

    if not all(map(math.isfinite, at)):
        raise UserError("--at is no finite number", "give a number, e.g. --at 0.3")
    root = find(workspace)
    settings = load_settings(root)
    with engine(root, settings.engine) as local:
        found = tune(root, local, settings, rule, column, at, samples, exact)
    if as_json:
        emit(found.to_json())
    else:
        click.echo(words(found))

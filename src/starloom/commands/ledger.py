"""`starloom ledger`."""

from pathlib import Path
from typing import Any

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.group("ledger", invoke_without_command=True, short_help="Ask the ledger in SQL; compare two ledgers.")
@click.option("--sql", default=None, metavar="SELECT", help="One SELECT, in DuckDB's SQL.")
@click.option("--limit", type=click.IntRange(1), default=40, show_default=True, help="Rows to show; others say all.")
@click.option("--csv", "as_csv", is_flag=True, help="All rows as CSV.")
@workspace_option
@json_option
@click.pass_context
def command(
    context: click.Context, sql: str | None, limit: int, as_csv: bool, workspace: Path | None, as_json: bool
) -> None:
    """Ask the ledger: a row for every listed file, with its verdict, the rule, the value and the limit.

    Without --sql: the tables and columns there are, and a few queries with their answers. A query is one SELECT over
    the ledger, the listing, the pairs and every signal; it writes nothing and sees no content.

    \b
    Examples:
        starloom ledger
        starloom ledger --sql "SELECT rule, count(*) FROM ledger GROUP BY rule ORDER BY 2 DESC"
        starloom ledger --csv --sql "FROM measured WHERE language = 'Lua'" > lua.csv
        starloom ledger diff . stack-v2
    """
    if context.invoked_subcommand is not None:
        if sql is not None or as_csv:
            raise click.UsageError(f"--sql and --csv do not go with `{context.invoked_subcommand}`")
        return
    import sys

    from starloom.stages import load_settings
    from starloom.the_stack import ledger_about, query_output
    from starloom.the_stack.ledger_query import answer
    from starloom.workspace.run import engine

    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    if as_csv and sql is None:
        raise click.UsageError("--csv needs --sql")
    root = find(workspace)
    with engine(root, load_settings(root).engine) as local:
        if sql is None:
            if as_json:
                emit(ledger_about.to_json(root, local))
            else:
                click.echo(ledger_about.words(root, local))
            return
        with answer(root, local, sql) as rows:
            if as_csv:
                query_output.write_csv(rows, sys.stdout)
            elif as_json:
                query_output.write_json(rows, sys.stdout)
            else:
                click.echo("\n".join(query_output.table(rows, limit)))


@command.command("diff", short_help="Which files two ledgers judge differently.")
@click.argument("a")
@click.argument("b")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Files to name.")
@workspace_option
@json_option
def diff(a: str, b: str, limit: int, workspace: Path | None, as_json: bool) -> None:
    """Which files A and B judge differently, and why.

    A and B are each a workspace (its ledger as it was built; `.` is this one), or settings that this workspace is
    decided by, without writing: a recipe as it stands, or a .toml file, which is a recipe too, or has the form of
    starloom.toml. Such settings change rules, budgets, licences, near-duplicates and the greatest size, but nothing
    that was measured.

    \b
    Examples:
        starloom ledger diff . stack-v2
        starloom ledger diff small mine.toml --limit 5
        starloom ledger diff ../before . --json | jq '.changes'
    """
    from starloom.stages import load_settings
    from starloom.the_stack.ledger_diff import difference, words
    from starloom.workspace.run import engine

    if workspace is None and all(one != "." and _is_workspace(one) for one in (a, b)):
        workspace = Path(a)  # two workspaces need no third one around them
    root = find(workspace)
    with engine(root, load_settings(root).engine) as local:
        found = difference(local, (a, _ledger(root, local, a)), (b, _ledger(root, local, b)), limit)
    if as_json:
        emit(found.to_json())
    else:
        click.echo(words(found))


def _is_workspace(what: str) -> bool:
    from starloom.stages import SETTINGS_FILE

    return (Path(what) / SETTINGS_FILE).is_file()


def _ledger(root: Path, engine: Any, what: str) -> Any:
    """Of the workspace `what`, or of `root` by the settings `what`. Raises UserError."""
    from starloom.progress import task
    from starloom.stages import deciding_by
    from starloom.the_stack import tables
    from starloom.the_stack.ledger_diff import decided_by

    if what == ".":
        return tables.ledger(root)
    if _is_workspace(what):
        return tables.ledger(Path(what).resolve())
    settings = deciding_by(root, what)
    with task(f"decide by {what}", None):
        return decided_by(root, engine, settings)

"""`starloom report`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("report", short_help="One page: what is in, what is not, and why.")
@workspace_option
@json_option
def command(workspace: Path | None, as_json: bool) -> None:
    """Write one HTML page: what is in the dataset, what is not, and why.

    Funnel, languages, licences, duplicates, and for every rule what it dropped and nearly dropped. It is a single file
    that asks for nothing from outside; open it in any browser.

    \b
    Examples:
        starloom report
        starloom report --json | jq '.kept_files / .listed_files'
    """
    from starloom.progress import say
    from starloom.report.page import FOLDER, PAGE, STAGE
    from starloom.stages import all_stages, load_settings
    from starloom.workspace.manifest import read_manifest
    from starloom.workspace.run import build, statuses

    root = find(workspace)
    settings = load_settings(root)
    build(root, [STAGE], settings, settings.engine, "starloom report")
    inside = [stage for stage in all_stages() if stage.reads]  # whether sources changed is `status`'s to look up
    stale = [one.name for one in statuses(root, inside, settings, settings.engine) if one.state != "fresh"]
    if stale:
        say(f"note: stale: {', '.join(stale)}; the page shows what was built last, `starloom build` renews it")
    path = root / FOLDER / PAGE
    manifest = read_manifest(root / FOLDER)
    if as_json:
        emit({"report": str(path), **(manifest.facts if manifest else {})})
    else:
        click.echo(path)

"""`starloom detect`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, json_option


@click.command("detect", short_help="Language, licence, generated, vendored: of any code.")
@click.argument("what", metavar="FILE|DIR", type=click.Path(path_type=Path))
@click.option("--files", "every_file", is_flag=True, help="A line for every file, not only the sums.")
@click.option(
    "--linguist",
    metavar="DIR",
    default="",
    help="Use the tables and rules of a Linguist checkout or package for languages, vendored and documentation files.",
)
@click.option("--no-scancode", is_flag=True, help="Do not ask ScanCode about licence texts that are not recognised.")
@json_option
def command(what: Path, every_file: bool, linguist: str, no_scancode: bool, as_json: bool) -> None:
    """Tell what code is: the language of each file, its licence and where that stands, and whether it was generated,
    copied in from elsewhere (vendored), documentation or a test.

    Needs no workspace. A folder is taken as one project: its licence files and package metadata speak for what is
    below them; caches of tools (.git, .venv, __pycache__ and the like) are not entered. A single file is judged by
    itself. With `pip install 'starloom[licenses]'`, ScanCode names the licence texts that are not recognised; without
    it they count as unknown, and so as not permissive.

    \b
    Examples:
        starloom detect .
        starloom detect src/parser.h
        starloom detect --files vendor/
        starloom detect . --json | jq -r '.files[] | select(.license_type == "non_permissive") | .path'
    """
    from starloom.engine.local import LocalEngine
    from starloom.engine.verbs import EngineSettings
    from starloom.languages.choice import LanguageSettings
    from starloom.outside.tool_folders import NOT_ENTERED
    from starloom.scratch import scratch_folder
    from starloom.stages import Settings
    from starloom.the_stack.detect import detect
    from starloom.the_stack.detected import about_file, about_folder, summary
    from starloom.the_stack.scan import ScanSettings
    from starloom.workspace.operations import explained

    settings = Settings(
        languages=LanguageSettings(linguist=linguist), scan=ScanSettings(scancode="off" if no_scancode else "auto")
    )
    with (
        scratch_folder("starloom-detect-") as scratch,
        explained(scratch),
        LocalEngine(EngineSettings(), scratch / "spill") as engine,
    ):
        rows = detect(what, engine, settings)
    if as_json:
        emit({"files": rows, **summary(rows), "not_entered": sorted(NOT_ENTERED)})
    elif what.is_dir():
        click.echo(about_folder(rows, every_file))
    else:
        click.echo(about_file(rows[0]) if rows else f"{what}: nothing to look into")

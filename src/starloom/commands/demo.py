"""`starloom demo`: the whole story, on code that is already here."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from starloom.report.figures import Headline

_SAMPLE = "\n[list]\nsample_bytes = 150000000   # of a large environment, a seeded sample of its distributions\n"


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default="starloom-demo",
    show_default=True,
    help="The workspace that is made, or gone on with.",
)
@click.option("--from", "sources", multiple=True, metavar="PATH", help="Your repositories instead; may be repeated.")
@click.option("--rights", type=click.Choice(["public", "owned"]), default="public", show_default=True)
def command(folder: Path, sources: tuple[str, ...], rights: str) -> None:
    """Build a dataset from the code on this machine, explain it, and say what to try next.

    By default the Python standard library and the installed distributions, each as a repository. With --from: your
    own repositories; `--rights owned` for closed ones (their licence drops nothing, and the result is marked as not
    publishable). Nothing leaves this machine.

    \b
    Examples:
        starloom demo
        starloom demo --dir /tmp/mine --from ~/src --rights owned
    """
    import shutil
    import sys

    from starloom.progress import say
    from starloom.report.figures import headline
    from starloom.report.page import STAGE as REPORT
    from starloom.stages import SETTINGS_FILE, all_stages, initialise, load_settings
    from starloom.the_stack.why import explain, telling_file, words
    from starloom.workspace.run import build, engine

    if (folder / SETTINGS_FILE).exists():
        say(f"going on with {folder} (its {SETTINGS_FILE} stands; remove the folder to start anew)")
    else:
        recipe = "own-code" if rights == "owned" else "small"
        initialise(folder, sources or ("installed",), recipe, rights, extra="" if sources else _SAMPLE)
    root = folder.resolve()
    settings = load_settings(root)
    say(f"building {folder} from {', '.join(source.path for source in settings.sources)}\n")
    build(root, (*all_stages(), REPORT), settings, settings.engine, "starloom demo")
    with engine(root, settings.engine) as local:
        click.echo(f"\n{_words(headline(root, local))}\n")
        example = telling_file(root, local)
        if example:
            click.echo(f"$ starloom why {example}")
            click.echo(words(explain(root, local, example, 1)) + "\n")
    starloom = "starloom" if shutil.which("starloom") else sys.argv[0]
    click.echo(
        f"the report: {root / 'report' / 'index.html'}\n\n"
        f"try next, in {folder}:\n"
        f"    {starloom} why PATH       what happened to a file, and by which rule\n"
        f"    {starloom} status         what is built, what is stale\n"
        f"    {starloom} build          after a change in {SETTINGS_FILE}: runs only what it makes stale\n"
        "and on your own code:\n"
        f"    {starloom} demo --dir mine --from ~/your/repositories"
    )


def _words(found: "Headline") -> str:
    """The key figures, a line each."""
    from starloom.progress import counted, human

    share = 100 * found.kept_files / max(found.listed_files, 1)
    lines = [
        f"{counted(found.repositories, 'repositories')}, {counted(found.listed_files, 'files')} "
        f"({human(found.listed_bytes, 'bytes')}), each with a row in the ledger",
        f"{counted(found.kept_files, 'files')} kept ({human(found.kept_bytes, 'bytes')}, {share:.0f} %), "
        f"in {counted(found.languages, 'languages')}",
        f"{found.held_out_files:,} of them held out for evaluation",
    ]
    if not found.publishable:
        lines.append("not publishable: it holds code declared as owned")
    return "\n".join(lines)

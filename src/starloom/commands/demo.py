"""`starloom demo`: the whole story, on code that is already here."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from starloom.commands._workspace import rights_option

if TYPE_CHECKING:
    from starloom.report.figures import Headline
    from starloom.stages import Settings

RUN = "demo"
COPY = "copy.py"  # in the workspace: lines of the dataset, re-indented
_SAMPLE = "\n[list]\nsample_bytes = 150000000   # of a large environment, a seeded sample of its distributions\n"
_LIBRARIES = ("torch", "tokenizers", "tantivy", "fastapi")
_LEARNT = 12_000_000  # bytes: enough for so small a vocabulary
# Bytes of text from which a vocabulary is worth its size: one token for some 250 bytes at the least.
_VOCABULARIES = ((2_000_000, 8192), (500_000, 2048), (100_000, 1024), (0, 512))


@click.command("demo", short_help="The whole loop, on the code of this machine.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default="starloom-demo",
    show_default=True,
    help="The workspace that is made, or gone on with.",
)
@click.option("--from", "sources", multiple=True, metavar="SOURCE", help="Your code instead, as in init; repeatable.")
@rights_option
@click.option("--train-seconds", default=120.0, show_default=True, help="How long the model is trained; 0: not at all.")
def command(folder: Path, sources: tuple[str, ...], rights: str, train_seconds: float) -> None:
    """Build a dataset from the code on this machine, train a small model on it, index it, and show all of it.

    By default the Python standard library and the installed distributions, each as a repository. With --from: your
    own repositories; `--rights owned` for closed ones (their licence drops nothing, and the result is marked as not
    publishable). Nothing leaves this machine. Ctrl-C loses nothing: the same command goes on.

    \b
    Examples:
        starloom demo
        starloom demo --dir /tmp/mine --from ~/src --rights owned
    """
    import importlib.util

    from starloom.progress import say
    from starloom.report.figures import headline
    from starloom.report.page import STAGE as REPORT
    from starloom.stages import SETTINGS_FILE, all_stages, initialise, load_settings
    from starloom.the_stack.why import telling_file
    from starloom.workspace.run import build, engine

    if not (train_seconds == 0 or 1 <= train_seconds <= 1e9):  # before minutes of work
        raise click.UsageError("--train-seconds: 0, or 1 and more")
    if (folder / SETTINGS_FILE).exists():
        say(f"going on with {folder} (its {SETTINGS_FILE} stands; remove the folder to start anew)")
    else:
        recipe = "own-code" if rights == "owned" else "small"
        initialise(folder, sources or ("installed",), recipe, rights, extra="" if sources else _SAMPLE)
    root = folder.resolve()
    settings = load_settings(root)
    whole = False
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]

    say(f"1. the dataset, from {', '.join(source.path for source in settings.sources)}\n")
    build(root, (*all_stages(), REPORT), settings, settings.engine, "starloom demo")
    with engine(root, settings.engine) as local:
        found, example = headline(root, local), telling_file(root, local)
    click.echo(f"\n{_words(found)}\n")
    if example:
        _run(root, "why", example)
    trained = found.kept_files - found.held_out_files
    if missing:
        say(f"no more without {', '.join(missing)}: pip install 'starloom[train,search,serve]', then the same command")
    elif not trained:
        say("nothing is left to train on and to search: `starloom why` says why")
    else:
        settings = _size_vocabulary(root, settings, found.kept_bytes - found.held_out_bytes)
        _train(root, settings, train_seconds)
        _index(root, settings)
        _show(root, train_seconds > 0, found.held_out_files)
        whole = True
    click.echo(_next(root, whole))


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


def _size_vocabulary(root: Path, settings: "Settings", text_bytes: int) -> "Settings":
    """A vocabulary that fits the text goes into starloom.toml, unless one stands there."""
    from starloom.settings import read_toml
    from starloom.stages import SETTINGS_FILE, load_settings
    from starloom.workspace.atomic import replace_file

    path = root / SETTINGS_FILE
    if "tokenizer" in read_toml(path):
        return settings
    size = next(size for least, size in _VOCABULARIES if text_bytes >= least)
    line = (
        f"\n[tokenizer]\nvocabulary = {size}   # for {text_bytes:,} bytes of text; 49152 is StarCoder2's\n"
        f"sample_bytes = {_LEARNT}   # of it, to learn the tokens from\n"
    )
    replace_file(path, path.read_bytes() + line.encode())
    return load_settings(root)


def _train(root: Path, settings: "Settings", seconds: float) -> None:
    """Tokenizer, token shards, and the model of two minutes."""
    from dataclasses import replace

    from starloom.progress import say
    from starloom.stages import token_stages
    from starloom.training.pretraining import train
    from starloom.training.reading import differences, samples
    from starloom.training.runs import find
    from starloom.workspace.run import build

    say("\n2. the model: a StarCoder2, from nothing, to prove the loop and not for its quality\n")
    build(root, token_stages(), settings, settings.engine, "starloom demo")
    if seconds:
        chosen = replace(settings.train, seconds=seconds)
        run = find(root, RUN)
        mixed = settings.mixture
        different = differences(run.record, chosen, mixed, samples(root, chosen, mixed)) if run else []
        if different:
            say(f"run {RUN} begins anew: {'; '.join(different)}")
        train(root, chosen, RUN, mixed, restart=bool(different), command="starloom demo")


def _index(root: Path, settings: "Settings") -> None:
    from starloom.progress import say
    from starloom.stages import index_stages
    from starloom.workspace.run import build

    say("\n3. search and membership test\n")
    build(root, index_stages(), settings, settings.engine, "starloom demo")


def _show(root: Path, trained: bool, held_out_files: int) -> None:
    """The commands themselves, on this workspace: what stands here is what they print."""
    from starloom.progress import say
    from starloom.the_stack.passage import passage
    from starloom.workspace.atomic import replace_file

    say("\n4. what it can do\n")
    if trained and held_out_files:
        _run(root, "eval", "run", RUN)
    elif trained:
        say("no repository is held out, so no bits per byte: raise `held_out` under [decide], or add repositories")
    found = passage(root)
    if found is None:
        return
    _run(root, "search", found.name, "--limit", "2")
    copy = "\n".join(f"      {line}" for line in found.text.splitlines()) + "\n"
    replace_file(root / COPY, copy.encode())
    click.echo(f"{COPY} holds {len(found.text.splitlines())} lines of {found.repo_name}, re-indented\n")
    _run(root, "check", str(root / COPY))
    if trained:
        click.echo("one completion, as it is: the model is minutes old and proves the loop, not quality\n")
        _run(root, "generate", f"def {found.name}(", "--max-tokens", "48", "--seed", "0", "--model", RUN)


def _run(root: Path, *arguments: str) -> None:
    """A command, after its line as a person would type it in the workspace."""
    import importlib
    import shlex

    shown = shlex.join(argument.removeprefix(f"{root}/") for argument in arguments)
    click.echo(f"$ starloom {shown}")
    command: click.Command = importlib.import_module(f"starloom.commands.{arguments[0]}").command
    command.main([*arguments[1:], "-w", str(root)], prog_name=f"starloom {arguments[0]}", standalone_mode=False)
    click.echo()


def _next(root: Path, whole: bool) -> str:
    import shutil
    import sys

    starloom = "starloom" if shutil.which("starloom") else str(Path(sys.argv[0]).absolute())
    lines = [f"the report: {root / 'report' / 'index.html'}", "", f"try next, in {root}:"]
    if whole:
        lines += [
            f"    {starloom} serve            search, membership test and completions in the browser",
            f"    {starloom} check FILE       which of your code is in the data, and under which licence",
        ]
    lines += [
        f"    {starloom} why PATH         what happened to a file, and by which rule",
        "and on your own code:",
        f"    {starloom} demo --dir mine --from ~/your/repositories",
    ]
    return "\n".join(lines)

"""`starloom check`."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from starloom.commands._inputs import column_options
from starloom.commands._numbers import NumberRange
from starloom.commands._workspace import emit, find, json_option
from starloom.errors import UserError

if TYPE_CHECKING:
    from starloom.membership.answers import Answer
    from starloom.membership.gate import Judgement
    from starloom.membership.given import Given
    from starloom.membership.shard import Split

_SHORT, _FILES = 5, 20  # files listed of each match of a text, for people; for programs, and where sums are told


@click.command("check", short_help="Matching code: files, repositories, licences; a gate for CI.")
@click.argument("what", metavar="[FILE|DIR|-]...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--diff",
    "revision",
    metavar="[REV]",
    is_flag=False,
    flag_value="HEAD",
    help="Lines added since REV (default: the last commit); A...B; - reads a diff from standard input.",
)
@click.option("--staged", is_flag=True, help="Lines that the next commit adds, as a hook asks.")
@click.option(
    "--jsonl", type=click.Path(path_type=Path), metavar="FILE", help="Samples of a model, a JSON object a line."
)
@column_options
@click.option("--split", type=click.Choice(["train", "held_out"]), help="Only this part: train is what a model saw.")
@click.option("--renamed", is_flag=True, help="Copies whose names were changed too; told apart.")
@click.option("--all", "everything", is_flag=True, help="Every match and every file; takes longer.")
@click.option("--raw", is_flag=True, help="Show what is private in the lines too: addresses, keys, passwords.")
@click.option(
    "--fail-on",
    metavar="KIND",
    multiple=True,
    help="Exit with 1 where code matches: copyleft, non_permissive, unlicensed, any, or an SPDX id such as 'AGPL-*'. "
    "Repeats, or with commas.",
)
@click.option("--unless-permissive", is_flag=True, help="… but not where a permissively licensed file has the same.")
@click.option("--own", metavar="REPO", multiple=True, help="… nor what REPO has, such as 'me/*'. Repeats.")
@click.option(
    "--min-characters", type=click.IntRange(1), default=99, show_default=True, help="… nor shorter matches than this."
)
@click.option("--min-lines", type=click.IntRange(1), default=1, help="… nor matches on fewer lines.")
@click.option(
    "--min-coverage", type=NumberRange(0, 1), default=0.0, help="… nor in texts of which they are a smaller share."
)
@click.option("--common", is_flag=True, help="… common code (licence headers, boilerplate) included.")
@click.option("--sarif", type=click.Path(path_type=Path), metavar="FILE", help="Write SARIF, for code scanning.")
@click.option(
    "-w",
    "--workspace",
    type=click.Path(path_type=Path),
    envvar="STARLOOM_WORKSPACE",
    help="The workspace; default: $STARLOOM_WORKSPACE, here, or a folder above.",
)
@json_option
def command(
    what: tuple[Path, ...],
    revision: str | None,
    staged: bool,
    jsonl: Path | None,
    id_column: str | None,
    content_column: str | None,
    split: "Split",
    renamed: bool,
    everything: bool,
    raw: bool,
    fail_on: tuple[str, ...],
    sarif: Path | None,
    workspace: Path | None,
    as_json: bool,
    **gate: Any,
) -> None:
    """Find code of files, folders, a diff or standard input that matches code in the dataset.

    Tells which lines match which files, in which repositories, under which licences. Exact but for white space: a
    re-indented copy of 99 or more characters is always found; most copies with other names are with --renamed. What
    matches is matching code; who wrote it first is not said. `starloom index` makes the index; nothing leaves this
    machine.

    \b
    Examples:
        starloom check src/model.py
        starloom check . --json | jq '.licenses'
        starloom check --diff origin/main... --fail-on copyleft,unlicensed --sarif check.sarif
        git diff -U50 v1.0 | starloom check --diff -
        starloom check --jsonl completions.jsonl --split train
    """
    import sys

    from starloom.collector import uncollected
    from starloom.commands._output import check_outputs
    from starloom.membership.answers import answers
    from starloom.membership.changes import changed
    from starloom.membership.check import Index
    from starloom.membership.gate import OWN_FILES, Gate, Judgement
    from starloom.membership.given import texts_at

    _refuse_mixtures(what, revision, staged, jsonl, sarif)
    kinds = tuple(one.strip() for some in fail_on for one in some.split(",") if one.strip())
    if fail_on and not kinds:
        raise click.UsageError("--fail-on names nothing: copyleft, non_permissive, unlicensed, any, or an SPDX id.")
    judgement = Judgement(Gate(kinds, **gate)) if kinds else None
    check_outputs({"--sarif": sarif}, [one for one in (*what, jsonl) if one and one.is_file()])
    click.get_current_context().with_resource(uncollected())  # answers are many objects, and no cycles
    index = Index.open(find(workspace))
    covered = f"the split {split} of {index.covered}" if split else index.covered
    diff = bool(revision or staged)
    alone = not (diff or jsonl) and len(what) == 1 and not what[0].is_dir()
    most = _SHORT if alone and not (as_json or sarif) else _FILES
    files = None if everything else OWN_FILES if gate["own"] else most

    def ask(texts: "Iterable[Given]") -> "Iterator[Answer]":
        for told in answers(index, texts, files, split, renamed):
            if judgement:
                judgement.add(told)
            yield told

    if jsonl:
        _about_batch(jsonl, content_column, id_column, ask, covered, judgement, everything, as_json)
    else:
        texts = changed(sys.stdin.buffer, what, revision, staged) if diff else texts_at(what, sys.stdin.buffer)
        told = [*ask([next(texts)])] if alone else _asked(ask(texts))
        if sarif:
            _write(sarif, told, judgement)
        if as_json:
            emit(_json(told, alone, None if everything else most, judgement))
        elif alone:
            _about_text(told[0], everything, raw)
        else:
            _about_texts(told, covered, diff, everything, raw)
    if judgement and judgement.failed:
        _fail(judgement, everything)


def _refuse_mixtures(
    what: tuple[Path, ...], revision: str | None, staged: bool, jsonl: Path | None, sarif: Path | None
) -> None:
    """Raises UsageError for what makes no sense together."""
    if not (what or revision or staged or jsonl):
        raise click.UsageError("Give files, folders, - (standard input), --diff, --staged or --jsonl FILE.")
    if jsonl and (what or revision or staged or sarif):
        raise click.UsageError("--jsonl is asked for alone, and has no SARIF.")
    if revision and staged:
        raise click.UsageError("--diff and --staged are two questions.")
    if Path("-") in what and (len(what) > 1 or revision or staged):
        raise click.UsageError("- is asked for alone; a diff from standard input is --diff -.")
    if revision == "-" and what:
        raise click.UsageError("--diff - takes no paths: all of the diff is read.")


def _asked(answers: "Iterator[Answer]") -> "list[Answer]":
    from starloom import progress

    told = []
    with progress.task("check", None, "texts") as bar:
        for one in answers:
            told.append(one)
            bar.advance(1)
    return told


def _about_text(answer: "Answer", everything: bool, raw: bool) -> None:
    from starloom.membership.words import about_nothing, about_text

    found = answer.found
    click.echo(about_text(answer.given, found, everything, raw) if found else about_nothing(answer.given))


def _about_texts(answers: "list[Answer]", covered: str, diff: bool, everything: bool, raw: bool) -> None:
    from starloom.membership import words
    from starloom.membership.whole import whole

    total = whole(answers)
    if diff and not answers:
        click.echo("no line is added")
    elif diff:
        click.echo(words.about_diff(answers, total, covered, everything, raw))
    else:
        click.echo(words.about_texts(answers, total, covered, everything))


def _about_batch(
    jsonl: Path,
    content: str | None,
    name: str | None,
    ask: "Callable[[Iterable[Given]], Iterator[Answer]]",
    covered: str,
    judgement: "Judgement | None",
    everything: bool,
    as_json: bool,
) -> None:
    from starloom import progress
    from starloom.membership.batch import Batch, samples
    from starloom.membership.told import about_gate
    from starloom.membership.words import about_batch

    batch = Batch()
    waiting: deque[tuple[int, str]] = deque()  # line and task of those that are asked about

    def texts() -> "Iterator[Given]":
        for line, task, given in samples(jsonl, content, name):
            waiting.append((line, task))
            yield given

    with progress.task("check", None, "samples") as bar:
        for answer in ask(texts()):
            batch.add(*waiting.popleft(), answer)
            bar.advance(1)
    if as_json:
        emit(batch.to_json() | about_gate(judgement))
    else:
        click.echo(about_batch(batch, covered, everything))


def _json(answers: "list[Answer]", alone: bool, most: int | None, judgement: "Judgement | None") -> dict[str, Any]:
    from starloom.membership.told import about_gate, about_text, about_texts

    told = about_text(answers[0], most) if alone else about_texts(answers, most)
    return told | about_gate(judgement)


def _write(path: Path, answers: "list[Answer]", judgement: "Judgement | None") -> None:
    import json

    from starloom.commands._output import output
    from starloom.membership.sarif import log

    with output(path) as file:
        file.write(json.dumps(log(answers, judgement), ensure_ascii=False, indent=1).encode())


def _fail(judgement: "Judgement", everything: bool) -> NoReturn:
    from starloom.membership.words import about_gate

    hint = (
        "replace the code, or keep the notice and the terms of its licence\n"
        "to let through: your own code, --own REPO; what a permissive file has too, --unless-permissive; "
        "short matches, --min-characters N"
    )
    if not judgement.failures:
        hint = "make the index whole: `starloom index membership`, or start the servers that have the other parts"
    raise UserError(about_gate(judgement, everything), hint)

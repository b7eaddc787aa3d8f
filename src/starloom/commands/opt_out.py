"""`starloom opt-out`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

_KINDS = ("opt-out", "takedown", "personal-data", "secret", "license", "other")  # opt_out_log.KINDS: a test says so


@click.group("opt-out", short_help="Who and what does not want to be in: add, list, check, import, impact, purge.")
def command() -> None:
    """Who and what does not want to be in the data, in a log that shows when it was tampered with.

    SUBJECT is a user or an organisation (all of their repositories); OWNER/NAME or its address (one repository);
    a SWHID swh:1:cnt:… or OWNER/NAME:PATH (that content, wherever it stands, for good). A name with blanks, colons or
    other signs is given as it is listed; one that is not listed yet, or in `opt-outs.txt`, with a slash at its end.
    A repository takes its own occurrences: what stands in another repository too is that one's, and stays.
    The next `build`, `index` and `pack` leave it out.

    \b
    Examples:
        starloom opt-out add somebody/project --proof https://example.com/issues/1
        starloom opt-out impact
        starloom opt-out purge --dry-run
    """


def _personal(function: Any) -> Any:
    """--kind, --by, --proof, --reason."""
    for option in (
        click.option("--reason", default="", help="Why, in their words. Personal: `forget` erases it."),
        click.option("--proof", default="", help="What shows that it is theirs, e.g. an address. Personal."),
        click.option("--by", default="", help="Who asked. Personal."),
        click.option("--kind", type=click.Choice(_KINDS), default="opt-out", show_default=True, help="Kind of wish."),
    ):
        function = option(function)
    return function


@command.command("add", short_help="Write down who does not want to be in.")
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@_personal
@workspace_option
@json_option
def add(
    subjects: tuple[str, ...], kind: str, by: str, proof: str, reason: str, workspace: Path | None, as_json: bool
) -> None:
    """Write down that SUBJECTs do not want to be in.

    Says what of them is in the dataset now, and which token shards and models hold it.

    \b
    Examples:
        starloom opt-out add somebody
        starloom opt-out add https://github.com/somebody/project --by "A. Person" --proof https://example.com/1
        starloom opt-out add somebody/project:src/keys.py swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2
    """
    from starloom.the_stack.opt_out_held import Called
    from starloom.the_stack.opt_out_subject import parse
    from starloom.the_stack.opt_out_wishes import Asked

    root = find(workspace)
    called, personal = Called(root), {"by": by, "proof": proof, "reason": reason}
    asked = [Asked(parse(one, called), kind, personal) for one in subjects]
    _write_down(root, asked, "starloom opt-out add", as_json)


@command.command("import", short_help="Add all subjects of a list.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_personal
@workspace_option
@json_option
def import_(file: Path, kind: str, by: str, proof: str, reason: str, workspace: Path | None, as_json: bool) -> None:
    """Add all subjects of a list.

    FILE is plain text (one subject a line, `#` for comments); .csv with a column `subject`; .json or .jsonl of texts,
    or of objects with `subject`. Columns kind, by, proof and reason are taken where they are given. The log of another
    workspace is such a file. All of it comes in, or nothing; what is opted out already is passed over.

    \b
    Examples:
        starloom opt-out import requests.csv
        starloom opt-out import ../other/opt-outs.jsonl
    """
    from starloom.the_stack.opt_out_held import Called
    from starloom.the_stack.opt_out_wishes import from_list

    root = find(workspace)
    asked = from_list(file, kind, {"by": by, "proof": proof, "reason": reason}, Called(root))
    _write_down(root, asked, "starloom opt-out import", as_json)


def _write_down(root: Path, asked: Sequence[Any], command_: str, as_json: bool) -> None:
    from starloom.commands import _opt_out_words as words
    from starloom.stages import load_settings
    from starloom.the_stack import opt_out_wishes
    from starloom.training.impact import models_holding
    from starloom.workspace.run import engine

    with engine(root, load_settings(root).engine) as local:
        added = opt_out_wishes.add(root, local, asked, lambda wishes: models_holding(root, local, wishes), command_)
        facts = words.facts(root, local, added.entries)
    if as_json:
        before = [{"subject": subject, "entry": entry} for subject, entry in added.before]
        emit({"added": [words.entry_json(one, True) for one in added.entries], "before": before, **facts})
    else:
        click.echo("\n".join(words.added(added, facts)))


@command.command("list", short_help="Show the log.")
@click.option("--personal", is_flag=True, help="Show who asked, the proof and the reason too.")
@workspace_option
@json_option
def list_(personal: bool, workspace: Path | None, as_json: bool) -> None:
    """Show the log, and how many lines the plain file has.

    Reading verifies the log: an edited line, a torn one, one that is missing is an error that names it.

    \b
    Examples:
        starloom opt-out list
        starloom opt-out list --json | jq '.entries[] | select(.active) | .subject'
    """
    from starloom.commands import _opt_out_words as words
    from starloom.stages import load_settings
    from starloom.the_stack import opt_out_log, opt_outs

    root = find(workspace)
    log = opt_out_log.read(root)
    plain = load_settings(root).list.opt_outs or opt_outs.FILE
    read = opt_outs.read(root / plain)
    lines = len(read.names) + len(read.contents)
    if as_json:
        active = {one.number for one in log.active}
        entries = [words.entry_json(one, one.number in active, personal) for one in log.entries]
        emit({"entries": entries, "plain": {"file": plain, "lines": lines}, "head": log.mark})
    else:
        click.echo("\n".join(words.log(log, plain, lines, personal)))


@command.command("check", short_help="Whether something is opted out, and by which entry.")
@click.argument("what")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Files to name.")
@workspace_option
@json_option
def check(what: str, limit: int, workspace: Path | None, as_json: bool) -> None:
    """Whether WHAT is opted out, by which entry, and what of it is in the dataset.

    WHAT is a SUBJECT, or the path of a file on this machine, whose content is meant.

    \b
    Examples:
        starloom opt-out check somebody/project
        starloom opt-out check ./src/keys.py
    """
    from starloom.commands import _opt_out_words as words
    from starloom.stages import load_settings
    from starloom.workspace.run import engine

    root = find(workspace)
    settings = load_settings(root)
    with engine(root, settings.engine) as local:
        found = words.checked(root, local, settings.list.opt_outs, what, limit)
    if as_json:
        emit(found)
    else:
        click.echo("\n".join(words.check(found)))


@command.command("withdraw", short_help="End an entry: they want to be in again.")
@click.argument("what", metavar="SUBJECT|ENTRY")
@workspace_option
@json_option
def withdraw(what: str, workspace: Path | None, as_json: bool) -> None:
    """End an entry: they want to be in again. It stays in the log, and a new entry says so.

    \b
    Examples:
        starloom opt-out withdraw somebody/project
        starloom opt-out withdraw 3
    """
    from starloom.commands import _opt_out_words as words
    from starloom.outside.paths import printable
    from starloom.the_stack.opt_out_wishes import withdraw as end

    entries = end(find(workspace), what, "starloom opt-out withdraw")
    if as_json:
        emit({"withdrawn": [words.entry_json(one, False) for one in entries]})
        return
    for one in entries:
        click.echo(printable(f"entry {one.of} is withdrawn (entry {one.number}): {one.subject}"))
    click.echo("next: starloom build")


@command.command("forget", short_help="Erase who asked, and why.")
@click.argument("entry", type=click.IntRange(1))
@workspace_option
@json_option
def forget(entry: int, workspace: Path | None, as_json: bool) -> None:
    """Erase who asked, the proof and the reason of an ENTRY. It goes on to hold, and the log still verifies.

    \b
    Examples:
        starloom opt-out forget 3
    """
    from starloom.the_stack.opt_out_log import erase

    names = erase(find(workspace), entry, "starloom opt-out forget")
    if as_json:
        emit({"entry": entry, "erased": list(names)})
    else:
        click.echo(f"entry {entry}: {', '.join(names)} erased" if names else f"entry {entry} has no personal fields")


@command.command("impact", short_help="What still holds something opted out.")
@click.argument("entry", type=click.IntRange(1), required=False)
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Near-twins to name.")
@workspace_option
@json_option
def impact(entry: int | None, limit: int, workspace: Path | None, as_json: bool) -> None:
    """What still holds something opted out: dataset, search, membership, tokens, models; and near-twins.

    Of all entries that hold, or of one ENTRY. A near-twin is a file of the dataset that is nearly the same as an
    opted-out one: it surfaces where that one went, and may be meant too.

    \b
    Examples:
        starloom opt-out impact
        starloom opt-out impact 3 --json | jq '.holdings[] | select(.where == "model") | .name'
    """
    from starloom.commands import _opt_out_words as words
    from starloom.stages import load_settings
    from starloom.workspace.run import engine

    root = find(workspace)
    settings = load_settings(root)
    with engine(root, settings.engine) as local:
        found = words.impacted(root, local, settings.list.opt_outs, entry, limit)
    if as_json:
        emit(found)
    else:
        click.echo("\n".join(words.impact(found)))


@command.command("purge", short_help="Erase what is opted out from this disk.")
@click.option("--dry-run", is_flag=True, help="Say what would be erased; erase nothing.")
@workspace_option
@json_option
def purge(dry_run: bool, workspace: Path | None, as_json: bool) -> None:
    """Erase what is opted out from this disk: stored contents, what was measured of them, what was fetched.

    Outputs that still hold something go too; `build`, `index` and `pack` make them again. Sources on this machine and
    trained models stay, and are named; so is what left an index and has words in its tables still. Stopped, the same
    command goes on.

    \b
    Examples:
        starloom opt-out purge --dry-run
        starloom opt-out purge
    """
    from starloom.commands import _opt_out_words as words
    from starloom.documents.steps import FOLDER as DOCUMENTS
    from starloom.report.page import FOLDER as REPORT
    from starloom.stages import all_stages, load_settings
    from starloom.the_stack import opt_out_purge, opt_outs
    from starloom.training import impact as holding
    from starloom.workspace.run import engine

    root = find(workspace)
    settings = load_settings(root)
    with engine(root, settings.engine) as local:
        entries = holding.entries_of(root, None)
        held = holding.impact(root, local, opt_outs.of(root, settings.list.opt_outs), entries)
        outputs = opt_out_purge.Outputs(
            tuple(root / one for one in held.outputs), (root / REPORT,), (root / DOCUMENTS,)
        )
        if dry_run:
            plan, less = opt_out_purge.plan(root, local, settings, all_stages(), outputs), 0
            going = plan.going(root)
        else:
            done = opt_out_purge.purge(root, local, settings, all_stages(), outputs, "starloom opt-out purge")
            going, plan, less = done
    found = words.purged(going, plan, held, less, dry_run)
    if as_json:
        emit(found)
    else:
        click.echo("\n".join(words.purge(found)))


@command.command("verify", short_help="Whether the log is as it was written.")
@click.option("--repair", is_flag=True, help="Mend what a stopped run left: a torn last line, a missing head.")
@workspace_option
@json_option
def verify(repair: bool, workspace: Path | None, as_json: bool) -> None:
    """Whether the log is what was written: every entry follows the one before, and none is missing at its end.

    \b
    Examples:
        starloom opt-out verify
    """
    from starloom.the_stack import opt_out_log

    root = find(workspace)
    done = opt_out_log.repair(root, "starloom opt-out verify --repair") if repair else []
    log = opt_out_log.read(root)
    if as_json:
        emit({"entries": len(log.entries), "active": len(log.active), "head": log.mark, "repaired": done})
        return
    for line in done:
        click.echo(line)
    click.echo(f"{root / opt_out_log.FILE}: {len(log.entries):,} entries, all as they were written")

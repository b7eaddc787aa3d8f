"""`starloom sketch`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.membership.given import Given
    from starloom.membership.shard import Split
    from starloom.membership.sketch import About, Answer


@click.group("sketch", short_help="The membership test without the text: a twentieth of it, to hand out.")
def command() -> None:
    """A sketch tells which code may stand in the data, without the data: a Bloom filter, a twentieth of the text.

    For people who may not have the text, such as users of a model. It names no file, repository or licence; what a hit
    is worth is told with each. Whoever holds a sketch can test whether a file is in the data, and what leaves the data
    stays in every sketch made before: so each has a number and a last day, and a newer one withdraws it.

    \b
    Examples:
        starloom sketch export my-sketch
        starloom sketch check src/model.py --sketch my-sketch
        starloom sketch withdraw my-sketch --reason 'holds code that was opted out'
    """


@command.command("export", short_help="Make one of the membership index.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", help="Of the dataset, as people are to see it; default: the workspace's.")
@click.option("--split", type=click.Choice(["train", "held_out"]), help="Only this one; default: the whole dataset.")
@click.option("--share", default=0.05, show_default=True, help="Its size, as a share of the text.")
@click.option("--days", type=click.IntRange(1, 36_500), default=180, show_default=True, help="How long it is good for.")
@click.option("--reason", default="a newer one replaces it", help="Why the one that is there now is withdrawn.")
@workspace_option
@json_option
def export(
    folder: Path,
    name: str | None,
    split: "Split",
    share: float,
    days: int,
    reason: str,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Make a sketch of the membership index in DIR, in the place of the one that is there.

    \b
    Examples:
        starloom sketch export my-sketch --split train --name 'my model 1'
        starloom sketch export my-sketch --reason 'two repositories were opted out'
    """
    import datetime

    from starloom.membership import sketching
    from starloom.progress import say

    root = find(workspace)
    contents = sketching.of_index(root, split)
    today = datetime.datetime.now(datetime.UTC).date()
    about = sketching.export(
        folder, contents, name=name or root.name, today=today, share=share, days=days, reason=reason
    )
    if as_json:
        emit({"folder": str(folder), **about.facts})
    else:
        click.echo(_told(folder, about))
    say(f"note: {sketching.WARNING}")


@command.command("check", short_help="Find code that may stand in the data of one.")
@click.argument("what", metavar="FILE|-", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--sketch", "folder", required=True, type=click.Path(path_type=Path), help="Folder of the sketch.")
@click.option(
    "--newer", type=click.Path(path_type=Path), help="A later sketch of its series, or its manifest: may withdraw it."
)
@json_option
def check(what: Path, folder: Path, newer: Path | None, as_json: bool) -> None:
    """Find code of a file, or of standard input, that may stand in the data of a sketch. Needs no workspace.

    A copy of 99 or more characters is always found, white space aside; with each chain of hits stands how many of its
    kind chance would make.

    \b
    Examples:
        starloom sketch check src/model.py --sketch my-sketch
        starloom sketch check - --sketch my-sketch --json < generated.py | jq .coverage
    """
    import datetime
    import sys

    from starloom.errors import UserError
    from starloom.membership import given
    from starloom.membership.sketch import Sketch

    opened = Sketch.open(folder, today=datetime.datetime.now(datetime.UTC).date(), newer=newer)
    one = given.from_stream(sys.stdin.buffer) if str(what) == "-" else given.from_file(what)
    if one.text is None:
        raise UserError(f"{one.path} cannot be checked: {one.problem}", "give source code, in UTF-8 if in doubt")
    found = opened.check(one.text)
    if as_json:
        about: dict[str, Any] = {key: value for key, value in opened.about.facts.items() if key != "withdraws"}
        emit({"path": one.path, **found.to_json(), "sketch": about})
    else:
        click.echo(_found(one, found))


@command.command("withdraw", short_help="End one, and say why.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why; people who use it are told.")
@json_option
def withdraw(folder: Path, reason: str, as_json: bool) -> None:
    """Withdraw the sketch in DIR: its filter is deleted, its manifest stays and says why. Publish that in its place.

    \b
    Examples:
        starloom sketch withdraw my-sketch --reason 'holds code that was opted out'
    """
    import datetime

    from starloom.membership import sketching

    about = sketching.withdraw(folder, reason=reason, today=datetime.datetime.now(datetime.UTC).date())
    if as_json:
        emit({"folder": str(folder), **about.facts})
    elif about.withdrawn:
        click.echo(f"{folder}: number {about.number} is withdrawn. Copies that others hold go on answering: tell them,")
        click.echo("or let them check with `--newer` against the manifest.json that is there now.")


def _told(folder: Path, about: "About") -> str:
    from starloom.progress import counted

    lines = [
        f"{folder}: sketch number {about.number} of {counted(about.files, 'files')}, good until {about.until}",
        f"{about.share:.3f} of the text; false positives: {about.rate:.2g} of the windows that are not in the data",
    ]
    if about.withdraws:
        lines.append(f"withdraws {counted(len(about.withdraws), 'earlier ones')}, by their hashes")
    return "\n".join(lines)


def _found(one: "Given", found: "Answer") -> str:
    from starloom.outside.paths import printable
    from starloom.progress import counted

    share = f", {100 * found.coverage:.1f} % of {counted(found.characters, 'characters')}" if found.coverage else ""
    lines = [f"{printable(one.path)}: {found.verdict}{share}"]
    for chain in found.chains[:20]:
        where = f"lines {chain.first_line:,} to {chain.last_line:,}"
        worth = "certain but for the filter" if chain.by_chance < 1e-6 else f"{chain.by_chance:.2g} such by chance"
        lines.append(f"    {where}: {counted(chain.tiles, 'hits')} in a row, {worth}")
    if len(found.chains) > 20:
        lines.append(f"    and {len(found.chains) - 20:,} more; --json has them")
    return "\n".join(lines)

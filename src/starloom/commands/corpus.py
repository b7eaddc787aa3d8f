"""`starloom corpus`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, json_option


@click.group("corpus", short_help="Lists of packages to try things on: list, fetch.")
def command() -> None:
    """Named lists of packages in many languages, with versions and checksums.

    They lie in one folder for all workspaces, and come in as `--from corpus:NAME`. No code of a package runs.

    \b
    Examples:
        starloom corpus list
        starloom corpus fetch standard
    """


@command.command("list", short_help="What there is, and what is fetched.")
@json_option
def list_(as_json: bool) -> None:
    """Show the corpora there are, and what is fetched.

    \b
    Examples:
        starloom corpus list
        starloom corpus list --json
    """
    from starloom.progress import counted, human
    from starloom.sources.corpus import corpus, default_folder, found, names
    from starloom.sources.packages.shelf import Shelf

    rows = []
    for listed in map(corpus, names()):
        shelf = Shelf(default_folder(listed.name))
        there = sum(found(shelf, pinned) is not None for pinned in listed.packages)
        rows.append((listed, shelf.folder, there))
    if as_json:
        emit(
            {
                "corpora": [
                    {
                        "name": listed.name,
                        "title": listed.title,
                        "packages": len(listed.packages),
                        "languages": listed.languages,
                        "bytes": listed.bytes,
                        "unpacked_bytes": listed.unpacked,
                        "folder": str(folder),
                        "fetched": there,
                    }
                    for listed, folder, there in rows
                ]
            }
        )
        return
    for listed, folder, there in rows:
        click.echo(f"{listed.name}: {listed.title}")
        click.echo(
            f"    {counted(len(listed.packages), 'packages')} in {counted(len(listed.languages), 'languages')}, "
            f"{human(listed.bytes, 'bytes')} to download, {human(listed.unpacked, 'bytes')} of files"
        )
        click.echo(f"    {', '.join(listed.languages)}")
        click.echo(f"    fetched: {there} of {len(listed.packages)}, in {folder}")


@command.command("fetch", short_help="Download the packages of one, checked.")
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Where to; default: the user's cache.")
@click.option("--newest", is_flag=True, help="Where a pinned version cannot be had, take the latest one.")
@json_option
def fetch(name: str, folder: Path | None, newest: bool, as_json: bool) -> None:
    """Download the packages of corpus NAME, each checked against its checksum.

    At most two downloads at once; stopped, the same command goes on where it was. Registries are those of
    PIP_INDEX_URL, NPM_CONFIG_REGISTRY and STARLOOM_DEBIAN_MIRROR, else those that pip, npm and apt use here.

    \b
    Examples:
        starloom corpus fetch standard
        starloom corpus fetch large --dir /data/corpora/large
    """
    import os

    from starloom.errors import UserError
    from starloom.outside.paths import printable
    from starloom.progress import counted, human, say, task
    from starloom.sources.corpus import PREFIX, corpus, default_folder, fetch_corpus

    listed = corpus(name)
    where = Path(os.path.realpath(folder.expanduser())) if folder else default_folder(name)
    with task(f"corpus {name}", total=listed.bytes) as bar:
        done = fetch_corpus(listed, where, newest=newest, advance=bar.advance)
    deviating = [str(record.package) for record in done.records if record.deviates]
    source = f"{PREFIX}{name}" + (f"@{where}" if folder else "")
    if as_json:
        emit(
            {
                "name": name,
                "folder": str(where),
                "packages": len(listed.packages),
                "fetched": len(done.records),
                "downloaded": done.downloaded,
                "bytes": done.bytes,
                "languages": listed.languages,
                "deviating": deviating,
                "problems": [
                    {"package": one.location, "reason": one.reason, "hint": one.hint} for one in done.problems
                ],
                "source": source,
            }
        )
    else:
        there = f"{len(done.records)} of {counted(len(listed.packages), 'packages')}, {human(done.bytes, 'bytes')}"
        click.echo(f"{where}: {there} ({done.downloaded} downloaded now)")
        if done.records:
            click.echo(f"\nnext: starloom init my-stack --from {source}")
    for package in deviating:
        say(f"not the pinned version: {package}")
    if done.problems:
        for one in done.problems:
            say(printable(f"{one.location}: {one.reason}") + (f"\n    {printable(one.hint)}" if one.hint else ""))
        raise UserError(
            f"{len(done.problems)} of {counted(len(listed.packages), 'packages')} of {name} could not be fetched",
            f"run it again: it goes on where it stopped. What is there can be used: --from {source}",
        )

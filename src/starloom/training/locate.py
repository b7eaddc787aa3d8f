"""Where a file or a repository lies in the tokens that a run reads. Torch-free.

Cost: one column of what the tokens say of their files, or their repositories' names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.errors import UserError
from starloom.identity import content_id, content_swhid, parse_swhid
from starloom.outside.paths import printable
from starloom.tokens.packed import Shards
from starloom.tokens.samples import Samples
from starloom.training.runs import Run
from starloom.training.seen import Int64s, Stretches

Filter: TypeAlias = tuple[str, str, str | list[str]]

_HEX = frozenset("0123456789abcdef")
_MOST = 64 << 20  # bytes of a file on this machine whose content is asked for


@dataclass(frozen=True)
class Lying:
    """Something in the tokens of a run. what: its name. places: REPOSITORY:PATH, or the repository, where it stands.
    tokens: of it in one variant."""

    what: str
    places: tuple[str, ...]
    tokens: int
    stretches: Stretches


def streams(samples: Samples) -> Iterator[tuple[int, int, Shards]]:
    """(number of the source, variant, stream) of each that the samples are of."""
    for number, source in enumerate(samples.sources):
        for variant in range(source.packed.variants):
            yield number, variant, samples.stream(number, variant)


def file_in(run: Run, samples: Samples, what: str) -> Lying:
    """A file by its content (SWHID, content id, a file on this machine) or its place, REPOSITORY:PATH.

    Raises UserError for what names no file, and where the tokens have no such file.
    """
    content = _content(what)
    name = content_swhid(content) if content else what
    paths = [what[at + 1 :] for at, character in enumerate(what) if character == ":"]  # both names may have colons
    found: dict[tuple[int, int], tuple[Int64s, Int64s]] = {}
    places: dict[str, None] = {}
    for number, variant, shards in streams(samples):
        wanted: Filter = ("content_id", "=", content) if content else ("path", "in", paths)
        rows = _read(shards, "pieces.parquet", ["document", "path", "first_token", "tokens"], [wanted])
        names = shards.repo_names(rows.column("document").to_pylist())
        here = [f"{repo_name}:{path}" for repo_name, path in zip(names, rows.column("path").to_pylist(), strict=True)]
        if not content:
            rows = rows.filter(pa.array([one == what for one in here], pa.bool_()))
            here = [one for one in here if one == what]
        places |= dict.fromkeys(here)
        found[number, variant] = stretches(rows)
    if not places:
        raise UserError(
            printable(f"the tokens of run {run.name} have no file {name}"),
            "`starloom why PATH` says what happened to a file; held-out files are in no tokens",
        )
    return _lying(name, tuple(places), found)


def repository_in(run: Run, samples: Samples, name: str) -> Lying:
    """A repository by its name. Raises UserError where the tokens have none of that name."""
    found: dict[tuple[int, int], tuple[Int64s, Int64s]] = {}
    places: tuple[str, ...] = ()
    for number, variant, shards in streams(samples):
        rows = _read(shards, "documents.parquet", ["first_token", "tokens"], [("repo_name", "=", name)])
        found[number, variant] = stretches(rows)
        places = places or ((name,) if len(rows) else ())
    if not places:
        raise UserError(
            printable(f"the tokens of run {run.name} have no repository {name}"),
            "`starloom ledger` names the repositories; held-out ones are in no tokens",
        )
    return _lying(name, places, found)


def _content(what: str) -> str:
    """The content id that it names; empty where it is REPOSITORY:PATH. Raises UserError."""
    if (swhid := parse_swhid(what)) and swhid[0] == "cnt":
        return swhid[1]
    if len(what) == 40 and set(what.lower()) <= _HEX:
        return what.lower()
    here = Path(what)
    try:
        if here.is_file():
            if here.stat().st_size > _MOST:
                raise UserError(f"{here} has more than {_MOST:,} bytes", "give its content id: `git hash-object`")
            return content_id(here.read_bytes())
    except (OSError, ValueError) as problem:
        raise UserError(
            printable(f"{what}: {getattr(problem, 'strerror', None) or problem}"), "give a file that can be read"
        ) from None
    if swhid or not what.partition(":")[2]:
        raise UserError(
            printable(f"{what} names no file"),
            "give swh:1:cnt:…, a content id, REPOSITORY:PATH, or a file on this machine",
        )
    return ""


def _read(shards: Shards, name: str, columns: list[str], filters: list[Filter]) -> pa.Table:
    path = shards.folder / name
    try:
        return pq.read_table(path, columns=columns, filters=filters)
    except (OSError, pa.ArrowException) as problem:
        raise UserError(
            f"{path} cannot be read ({str(problem).splitlines()[0]})",
            f"delete {shards.folder.parent} and run `starloom pack`: it is made again",
        ) from None


def stretches(rows: pa.Table) -> tuple[Int64s, Int64s]:
    """First tokens and ends, ascending."""
    rows = rows.take(pc.sort_indices(rows, [("first_token", "ascending")]))
    starts = rows.column("first_token").to_numpy()
    return starts, starts + rows.column("tokens").to_numpy()


def _lying(what: str, places: tuple[str, ...], found: dict[tuple[int, int], tuple[Int64s, Int64s]]) -> Lying:
    spans: list[Any] = [one for (_, variant), one in found.items() if variant == 0]
    return Lying(what, places, int(sum(np.sum(ends - starts) for starts, ends in spans)), found)

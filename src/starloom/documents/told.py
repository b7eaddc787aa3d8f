"""What became of the documents that were made of a file: for who asks about the file, whose own row does not say it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starloom.documents.steps import FOLDER, KINDS
from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.the_stack import tables
from starloom.the_stack.why import NothingListedError, explain
from starloom.workspace.manifest import read_manifest


@dataclass(frozen=True)
class Told:
    """`folder`: of a kind, asked as a workspace; `counts`: as `why` has them, of what goes by the name there;
    `problem`: why it cannot be asked."""

    folder: str
    counts: list[dict[str, Any]]
    problem: UserError | None = None

    def words(self) -> str:
        """`documents/notebook-scripts: 1 kept, 2 dropped by license`."""
        if self.problem:
            hint = f" ({self.problem.hint})" if self.problem.hint else ""
            return f"{self.folder} cannot be asked: {self.problem.problem}{hint}"
        said = []
        for one in self.counts:
            rule = f" by {one['rule']}" if one["rule"] else ""
            said.append(f"{one['files']:,} {one['verdict']}{rule}")
        return f"{self.folder}: {', '.join(said)}"


def documents_of(root: Path, engine: Engine, what: str) -> list[Told]:
    """Of each kind that has a document by the name of `what`, and of each that is damaged."""
    found = []
    for kind in KINDS:
        name, folder = f"{FOLDER}/{kind}", root / FOLDER / kind
        try:
            if read_manifest(folder / tables.LEDGER) is not None:  # else none was made
                found.append(Told(name, explain(folder, engine, what, 0, diff=0).counts))
        except NothingListedError:
            continue
        except UserError as problem:
            found.append(Told(name, [], problem))
    return found

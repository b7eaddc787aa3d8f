"""What became of the documents that were made of a file: for who asks about the file, whose own row does not say it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starloom.documents.steps import FOLDER, KINDS
from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.the_stack.why import explain


@dataclass(frozen=True)
class Told:
    """`folder`: of a kind, asked as a workspace; `counts`: as `why` has them, of what goes by the name there."""

    folder: str
    counts: list[dict[str, Any]]

    def words(self) -> str:
        """`documents/notebook-scripts: 1 kept, 2 dropped by license`."""
        said = []
        for one in self.counts:
            rule = f" by {one['rule']}" if one["rule"] else ""
            said.append(f"{one['files']:,} {one['verdict']}{rule}")
        return f"{self.folder}: {', '.join(said)}"


def documents_of(root: Path, engine: Engine, what: str) -> list[Told]:
    """Of each kind that has a document by the name of `what`."""
    found = []
    for kind in KINDS:
        folder = root / FOLDER / kind
        if folder.is_dir():
            try:
                found.append(Told(f"{FOLDER}/{kind}", explain(folder, engine, what, 0, diff=0).counts))
            except UserError:  # none is called so, or none was made
                continue
    return found

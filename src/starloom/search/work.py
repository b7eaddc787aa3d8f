"""What a run has finished, kept until all of it is published: a run that was killed goes on with it.

Each piece is a published folder of its own in `.starloom/unfinished/search/`, marked by what it was made of; the next
run removes those it has no use for. They hold texts of the dataset: `opt-out purge` removes them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.search import layout
from starloom.workspace import atomic, lock, operations
from starloom.workspace.manifest import Manifest, fingerprint, open_folder, read_manifest

_KIND: Final = "search-piece"


def work_folder(root: Path) -> Path:
    """Where the pieces of the workspace `root` are."""
    return root / lock.UNFINISHED / layout.FOLDER


@dataclass(frozen=True)
class Work:
    """The pieces of one run. `mark` stands for all that they are made of."""

    folder: Path
    mark: str

    def path(self, piece: str) -> Path:
        return self.folder / piece

    def finished(self, piece: str) -> Manifest | None:
        """What a piece holds; None where it is still to be made."""
        try:
            manifest = open_folder(self.path(piece))
        except UserError:
            return None
        return manifest if manifest and manifest.fingerprint == self._fingerprint(piece) else None

    def manifest(self, piece: str) -> Manifest:
        """What a finished piece holds. Raises UserError when it is not there."""
        manifest = read_manifest(self.path(piece))
        if manifest is None:
            raise UserError(f"{self.path(piece)} is missing", "run `starloom index search` again")
        return manifest

    @contextmanager
    def publish(self, piece: str) -> Iterator[atomic.Draft]:
        """A piece in the making. Raises as `atomic.publish`."""
        with atomic.publish(
            self.path(piece),
            kind=_KIND,
            version=1,
            fingerprint=self._fingerprint(piece),
            inputs={},
            settings={},
            replace=True,
        ) as draft:
            yield draft

    def begin(self) -> None:
        """Removes pieces of other runs."""
        operations.make_parents(self.folder)
        for path in sorted(self.folder.iterdir()):
            if self.finished(path.name) is None:
                operations.remove(path)

    def end(self) -> None:
        """Removes all of them."""
        operations.discard(self.folder)

    def _fingerprint(self, piece: str) -> str:
        return fingerprint(self.mark, piece)

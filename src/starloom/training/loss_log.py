"""loss.jsonl while a run runs: kept in step with its checkpoints. Reading it needs `runs.losses` alone."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from starloom.errors import UserError
from starloom.training import runs
from starloom.training.checkpoint import Checkpoint
from starloom.training.runs import Loss
from starloom.training.world import World
from starloom.workspace import atomic


class LossLog:
    """loss.jsonl: as the checkpoint has it, then a line for every step; no line twice, none missing."""

    def __init__(self, folder: Path, start: Checkpoint | None, step: int, world: World) -> None:
        """The first process alone writes. Raises UserError when the checkpoint's own copy is not one line a step."""
        self._path = folder / runs.LOSSES
        self._first = world.first
        self._content = bytearray(start.losses() if start else b"")
        self.losses = runs.parse_losses(self._content.decode().splitlines())
        if [one.step for one in self.losses] != list(range(1, step + 1)):
            raise UserError(
                f"{start.folder / runs.LOSSES if start else self._path} does not have one line a step",
                f"begin the run anew: `starloom train {folder.name} --restart`",
            )
        if self._first:
            atomic.replace_file(self._path, bytes(self._content))

    @property
    def seconds(self) -> float:
        """Of training so far."""
        return self.losses[-1].seconds if self.losses else 0.0

    @property
    def tokens(self) -> int:
        """Seen so far."""
        return self.losses[-1].tokens if self.losses else 0

    def content(self) -> bytes:
        """The whole file."""
        return bytes(self._content)

    @contextmanager
    def opened(self) -> Iterator[Callable[[Loss], None]]:
        """The file, open: what is given takes a step's line."""
        with self._path.open("ab", buffering=0) if self._first else contextlib.nullcontext() as file:

            def write(loss: Loss) -> None:
                line = loss.to_line().encode()
                if file:
                    file.write(line)
                self._content += line
                self.losses.append(loss)

            yield write

"""A stage: what it reads, which settings matter to it, and whether its output is still what they say.

The expected fingerprint of a stage is a hash over its name, its VERSION, the settings that matter, the contents of what
it reads, and (for the first stage) the state of the world outside. It is fresh when its output carries that
fingerprint. Contents, not fingerprints, go down the line: a stage that ran and wrote the same bytes makes nothing
after it stale. The append-only caches (`files/`, `signals/`) carry, as a fact of their index, the fingerprint they are
complete for, which stands for them: their layout depends on history.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from starloom import settings as settings_module
from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.workspace import atomic
from starloom.workspace.manifest import Manifest, fingerprint, open_folder, read_manifest

State = Literal["fresh", "stale", "missing", "damaged"]

COMPLETE = "complete"  # the fact of a cache's index that names the fingerprint it was completed for


@dataclass(frozen=True)
class Done:
    """What a stage has to say of its run: the bytes it went through (for the rate), and a note for the person."""

    bytes: int
    note: str = ""


@dataclass(frozen=True)
class Stage:
    """One step of the build. `name` is the command's word, `folder` where its output is, below the workspace."""

    name: str
    folder: str
    version: int
    reads: tuple[str, ...]  # folders with a manifest, e.g. "listing", "signals/minhash"
    settings: Callable[[Any], Any]  # from all settings, those that change the output
    run: Callable[["Job"], Done]
    outside: Callable[["Job"], Mapping[str, str]] | None = None  # state of what is read from outside
    forecast: Callable[["Job"], str] | None = None  # what a run would do, in a few words
    proved: bool = False  # its files are proved by their hashes before it is called up to date: readers prove them too


@dataclass
class Job:
    """One stage about to run in a workspace."""

    root: Path
    stage: Stage
    settings: Any
    engine: Engine
    shared: dict[str, Any] = field(default_factory=dict)  # what stages of one process hand on, e.g. opened sources

    @property
    def folder(self) -> Path:
        return self.root / self.stage.folder

    def inputs(self) -> dict[str, str]:
        """What stands for each thing that the stage reads. Raises UserError when one is missing."""
        return self._read() | self._outside()

    def _read(self) -> dict[str, str]:
        found = {}
        for name in self.stage.reads:
            manifest = read_manifest(self.root / name)
            if manifest is None:
                raise UserError(
                    f"{self.root / name} is missing, and `{self.stage.name}` reads it",
                    "run `starloom build`: it makes what is missing, in order",
                )
            found[name] = standing(manifest)
        return found

    def _outside(self) -> dict[str, str]:
        told = self.stage.outside(self) if self.stage.outside else {}
        return {f"outside:{key}": value for key, value in told.items()}

    def json_settings(self) -> dict[str, Any]:
        value = settings_module.as_json(self.stage.settings(self.settings))
        return value if isinstance(value, dict) else {"value": value}

    def fingerprint(self) -> str:
        return fingerprint(self.stage.name, self.stage.version, self.json_settings(), self.inputs())

    def state(self) -> State:
        """Whether the output is there, whole by its sizes, and still what inputs and settings say."""
        return self.look()[0]

    def look(self) -> tuple[State, UserError | None]:
        """`state`, and what is wrong with the output or with what is outside; of what it reads, its own stage tells."""
        try:
            manifest = open_folder(self.folder)
        except UserError as problem:
            return "damaged", problem
        if manifest is None:
            return "missing", None
        try:
            self._read()
        except UserError:
            return "stale", None
        try:
            return "fresh" if completed(manifest) == self.fingerprint() else "stale", None
        except UserError as problem:
            return "stale", problem

    @contextmanager
    def publish(self) -> Iterator[atomic.Draft]:
        """The stage's folder in the making; replaces the one that is there."""
        with atomic.publish(
            self.folder,
            kind=self.stage.name,
            version=self.stage.version,
            fingerprint=self.fingerprint(),
            inputs=self.inputs(),
            settings=self.json_settings(),
            replace=True,
        ) as draft:
            yield draft

    def scratch(self, name: str) -> Path:
        """A folder for what does not outlive the run; the engine removes it."""
        folder = self.engine.spill / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def completed(manifest: Manifest) -> str:
    """The fingerprint for which an output is complete: a cache says it in its facts."""
    return str(manifest.facts.get(COMPLETE, manifest.fingerprint))


def standing(manifest: Manifest) -> str:
    """What stands for an output in the inputs of those that read it: its content; for a cache, whose layout depends on
    history (killed runs, repositories added one by one), what it is complete for."""
    return str(manifest.facts.get(COMPLETE, manifest.content))


def opened(folder: Path, made_by: str) -> Manifest:
    """The manifest of an output that a reader needs, its files' sizes checked. Raises UserError when it is missing."""
    manifest = open_folder(folder)
    if manifest is None:
        raise UserError(f"{folder} is missing", f"run `starloom build`, whose stage `{made_by}` makes it")
    return manifest

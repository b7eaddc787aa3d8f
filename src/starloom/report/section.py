"""A section of the report: a module that looks its figures up, and the template beside it that words them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starloom.engine.verbs import Engine
from starloom.report.figures import Headline, Step


@dataclass(frozen=True)
class Material:
    """What a section may look at. `recipe` and `title` are those of the workspace's settings."""

    root: Path
    engine: Engine
    headline: Headline
    steps: tuple[Step, ...]  # of the funnel
    recipe: str
    title: str


@dataclass(frozen=True)
class Section:
    """`name` is its anchor and the name of its template, NAME.html; `look_up` gives the template's variables."""

    name: str
    title: str  # in the table of contents
    look_up: Callable[[Material], Mapping[str, Any]]

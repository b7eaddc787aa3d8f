"""The repositories that gave most, and those that could not be read."""

from collections.abc import Mapping
from typing import Any

from starloom.report import figures
from starloom.report.section import Material, Section


def _look_up(material: Material) -> Mapping[str, Any]:
    rows, empty = figures.repositories(material.root, material.engine)
    return {
        "found": material.headline,
        "rows": rows,
        "empty": empty,
        "widest": max((row.listed_bytes for row in rows), default=0),
        "problems": figures.problems(material.root, material.engine),
    }


SECTION = Section("repositories", "Repositories", _look_up)

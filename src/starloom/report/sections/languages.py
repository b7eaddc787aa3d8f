"""Which languages the kept files are in, against what was listed."""

from collections.abc import Mapping
from typing import Any

from starloom.report import figures
from starloom.report.section import Material, Section


def _look_up(material: Material) -> Mapping[str, Any]:
    named, others, unknown = figures.languages(material.root, material.engine)
    rows = [*named, *([others] if others else [])]
    return {
        "found": material.headline,
        "rows": rows,
        "unknown": unknown,
        "widest": max((row.listed_bytes for row in rows), default=0),
    }


SECTION = Section("languages", "Languages", _look_up)

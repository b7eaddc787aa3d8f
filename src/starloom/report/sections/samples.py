"""Some of what each step dropped, with the value that did it and the beginning of the file."""

from collections.abc import Mapping
from typing import Any

from starloom.report.samples import samples
from starloom.report.section import Material, Section


def _look_up(material: Material) -> Mapping[str, Any]:
    drawn = samples(material.root, material.engine)
    steps = [step for step in material.steps if step.name in drawn]
    return {"steps": steps, "drawn": drawn}


SECTION = Section("samples", "Samples", _look_up)

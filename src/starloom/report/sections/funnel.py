"""How many files and bytes are left after each step of `decide`, in its order."""

from collections.abc import Mapping
from typing import Any

from starloom.report.section import Material, Section


def _look_up(material: Material) -> Mapping[str, Any]:
    return {"found": material.headline, "steps": material.steps}


SECTION = Section("funnel", "Funnel", _look_up)

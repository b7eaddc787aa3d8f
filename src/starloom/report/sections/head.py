"""What this dataset is, on one screen: the numbers, and where every listed byte went."""

from collections.abc import Mapping
from typing import Any

from starloom.report.charts import Part
from starloom.report.groups import GROUPS, group
from starloom.report.section import Material, Section


def _look_up(material: Material) -> Mapping[str, Any]:
    found = material.headline
    train_files, train_bytes = found.kept_files - found.held_out_files, found.kept_bytes - found.held_out_bytes
    parts = [(Part("kept", train_files, "kept"), Part("kept", train_bytes, "kept"))]
    if found.held_out_files:
        held = Part("kept, held out", found.held_out_files, "held"), Part("", found.held_out_bytes, "held")
        parts.append(held)
    for one in GROUPS:
        some = [step for step in material.steps if group(step) == one]
        files, size = sum(step.files for step in some), sum(step.bytes for step in some)
        if files:
            parts.append((Part(one.label, files, one.color), Part(one.label, size, one.color)))
    return {"found": found, "parts": parts, "title": material.title, "recipe": material.recipe}


SECTION = Section("head", "Overview", _look_up)

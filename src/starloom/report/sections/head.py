"""What this dataset is, on one screen: the numbers, and where every listed byte went."""

from collections.abc import Mapping
from typing import Any

from starloom.report import figures
from starloom.report.charts import Part
from starloom.report.section import Material, Section

# The kinds of steps of the funnel, in its order, as the colours of the overview.
_GROUPS = (
    ("refusal", "no text, or too large", "refused"),
    ("quarantine", "damaged or unreadable", "quarantine"),
    ("license", "licence", "license"),
    ("exact-duplicate", "exact duplicates", "exact"),
    ("rule", "rules", "rule"),
    ("near-duplicate", "near-duplicates", "near"),
)


def _group(step: figures.Step) -> str:
    if step.kind == "duplicate":
        return step.name
    return "license" if step.kind == "rule" and "license" in step.rule.drop else step.kind


def _look_up(material: Material) -> Mapping[str, Any]:
    found = material.headline
    train_files, train_bytes = found.kept_files - found.held_out_files, found.kept_bytes - found.held_out_bytes
    parts = [(Part("kept", train_files, "kept"), Part("kept", train_bytes, "kept"))]
    if found.held_out_files:
        held = Part("kept, held out", found.held_out_files, "held"), Part("", found.held_out_bytes, "held")
        parts.append(held)
    for key, label, color in _GROUPS:
        some = [step for step in material.steps if _group(step) == key]
        files, size = sum(step.files for step in some), sum(step.bytes for step in some)
        if files:
            parts.append((Part(label, files, color), Part(label, size, color)))
    return {"found": found, "parts": parts, "title": material.title, "recipe": material.recipe}


SECTION = Section("head", "Overview", _look_up)

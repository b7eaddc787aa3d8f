"""The largest clusters of exact and of near-duplicates."""

from collections.abc import Mapping
from typing import Any

from starloom.report import figures
from starloom.report.clusters import clusters
from starloom.report.section import Material, Section


def _look_up(material: Material) -> Mapping[str, Any]:
    steps = {step.name: step for step in material.steps}
    kinds = []
    for rule, title, words in (
        ("exact-duplicate", "Exact duplicates", "The same content, byte for byte."),
        ("near-duplicate", "Near-duplicates", "Alike by the words in them; the similarity is counted, not estimated."),
    ):
        kinds.append((rule, title, words, steps.get(rule), clusters(material.root, material.engine, rule)))
    return {"kinds": kinds, "threshold": figures.ledger_settings(material.root)["decide"]["near_duplicates"]}


SECTION = Section("duplicates", "Duplicates", _look_up)

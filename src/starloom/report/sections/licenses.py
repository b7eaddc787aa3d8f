"""Under which licences the files are, on what evidence, and where the evidence disagrees."""

from collections.abc import Mapping
from typing import Any

from starloom.licenses.categories import conflicts as contested
from starloom.report import figures, unsettled
from starloom.report.section import Material, Section

_TYPES = {
    "permissive": "permissive",
    "no_license": "no licence found",
    "non_permissive": "not permissive",
}
_EVIDENCE = {
    "notice": "the file’s own notice",
    "stated": "debian/copyright, REUSE or the like about this very file",
    "origin": "the licence where this content first appeared",
    "declared": "what the package or repository declares",
    "path": "a licence file or package metadata in its folder, or in one above",
    "conflict": "copies under different licences, origin unknown",
    "none": "nothing said",
}


def _look_up(material: Material) -> Mapping[str, Any]:
    cells = {(one.license_type, one.evidence): one for one in figures.licenses(material.root, material.engine)}
    types = []
    for key, label in _TYPES.items():
        some = [one for one in cells.values() if one.license_type == key]
        sums = [
            sum(getattr(one, name) for one in some)
            for name in ("listed_files", "listed_bytes", "kept_files", "kept_bytes")
        ]
        types.append((key, figures.Count(label, *sums)))
    conflicts, conflicting = figures.conflicts(material.root, material.engine)
    return {
        "types": types,
        "widest": max(count.listed_bytes for _, count in types),
        "evidence": [(key, label) for key, label in _EVIDENCE.items() if any(key == cell[1] for cell in cells)],
        "cells": cells,
        "detected": figures.detected_licenses(material.root, material.engine),
        "conflicts": conflicts,
        "conflicting": conflicting,
        "unknown": unsettled.unknown_licenses(material.root, material.engine),
        "contested": contested(),
        "class_words": {"permissive": "permissive", "neutral": "neutral", "non_permissive": "not permissive"},
    }


SECTION = Section("licenses", "Licences", _look_up)

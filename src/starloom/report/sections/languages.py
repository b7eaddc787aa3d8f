"""Which languages the kept files are in, against what was listed."""

from collections.abc import Mapping
from typing import Any

from starloom.report import figures, unsettled
from starloom.report.section import Material, Section

_TOLD_BY = {
    "rule": "a rule over the content",
    "classifier": "the classifier",
    "default": "nothing: the commonest language",
    "shebang": "the “#!” line",
    "modeline": "an editor’s mode line",
    "filename": "the whole name",
    "extension": "the extension",
    "xml": "an XML declaration",
    "manpage": "the name of a manual page",
}


def _look_up(material: Material) -> Mapping[str, Any]:
    named, others, unknown = figures.languages(material.root, material.engine)
    rows = [*named, *([others] if others else [])]
    return {
        "found": material.headline,
        "rows": rows,
        "unknown": unknown,
        "unknown_samples": unsettled.unknown_languages(material.root, material.engine),
        "ambiguous": unsettled.ambiguous_extensions(material.root, material.engine),
        "told_by": _TOLD_BY,
        "widest": max((row.listed_bytes for row in rows), default=0),
    }


SECTION = Section("languages", "Languages", _look_up)

"""How many files and bytes are left after each step of `decide`, in its order: drawn, then counted."""

from collections.abc import Mapping
from typing import Any

from starloom.progress import counted, human
from starloom.report.groups import group
from starloom.report.sankey import Branch, sankey
from starloom.report.section import Material, Section


def _look_up(material: Material) -> Mapping[str, Any]:
    found, steps = material.headline, material.steps
    files = sankey(
        "Files, from listed to kept",
        Branch("Listed", found.listed_files, "listed"),
        [Branch(one.name, one.files, group(one).color, f"rule-{one.name}") for one in steps]
        + [Branch("held out", found.held_out_files, "held")],
        Branch("kept", found.kept_files - found.held_out_files, "kept"),
        lambda number: counted(number, "files"),
    )
    size = sankey(
        "Bytes, from listed to kept",
        Branch("Listed", found.listed_bytes, "listed"),
        [Branch(one.name, one.bytes, group(one).color, f"rule-{one.name}") for one in steps]
        + [Branch("held out", found.held_out_bytes, "held")],
        Branch("kept", found.kept_bytes - found.held_out_bytes, "kept"),
        lambda number: human(number, "bytes"),
    )
    return {"found": found, "steps": steps, "pictures": [one for one in (files, size) if one]}


SECTION = Section("funnel", "Funnel", _look_up)

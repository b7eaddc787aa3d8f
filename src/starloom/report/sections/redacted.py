"""Personal data and secrets: how much of each kind was found and replaced, by which detectors, and masked samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starloom.privacy.markers import MARKERS
from starloom.report import private_findings
from starloom.report.private_findings import Found, Place
from starloom.report.section import Material, Section
from starloom.the_stack import tables
from starloom.workspace.stage import opened

_PER_KIND = 5

_KINDS = {
    "EMAIL": "e-mail addresses",
    "IP_ADDRESS": "public IP addresses",
    "KEY": "keys, tokens and other secrets",
    "PASSWORD": "passwords",
    "NAME": "names of persons",
    "USERNAME": "user names",
}


@dataclass(frozen=True)
class _Shown:
    """A kind as the template words it. `by`: what stands in its place, "" where nothing does; `replaced`: how often."""

    found: Found
    words: str
    by: str
    replaced: int
    detectors: list[Found]
    places: list[Place]


def _look_up(material: Material) -> Mapping[str, Any]:
    manifest = opened(material.root / tables.DATASET, "write")
    replaces, how = manifest.settings.get("kinds", []), manifest.settings.get("replace", "none")
    replaced = manifest.facts.get("redactions", {})
    drawn = private_findings.places(material.root, material.engine, _PER_KIND)
    shown = [
        _Shown(
            found=whole,
            words=_KINDS[whole.kind],
            by=_by(whole.kind, how) if whole.kind in replaces else "",
            replaced=replaced.get(whole.kind, 0),
            detectors=detectors,
            places=drawn.get(whole.kind, []),
        )
        for whole, detectors in private_findings.found(material.root, material.engine)
    ]
    left = [one for one in shown if not one.by and one.found.kept_findings]
    return {
        "shown": shown,
        "off": not replaces,
        "how": how,
        "replaced": sum(replaced.values()),
        "left": sum(one.found.kept_findings for one in left),
        "left_kinds": [one.words for one in left],
        "per_kind": _PER_KIND,
    }


def _by(kind: str, how: str) -> str:
    if how == "synthetic":
        return "invented ones"
    return "a private address" if kind == "IP_ADDRESS" else MARKERS[kind]


SECTION = Section("redacted", "Redacted", _look_up)

"""How the dataset was made: rules, settings, versions, and the hashes that prove which one it is."""

from collections.abc import Mapping
from typing import Any

from starloom import __version__
from starloom.report import figures
from starloom.report.section import Material, Section
from starloom.the_stack import tables
from starloom.workspace.manifest import read_manifest

_STAGES = (
    ("list", tables.LISTING),
    ("read", tables.FILES),
    ("pair", tables.PAIRS),
    ("decide", tables.LEDGER),
    ("write", tables.DATASET),
)


def _look_up(material: Material) -> Mapping[str, Any]:
    steps = {step.name: step for step in material.steps}
    manifests = {name: read_manifest(material.root / folder) for name, folder in _STAGES}
    settings = []
    for name, manifest in manifests.items():
        for key, value in _flat(manifest.settings if manifest else {}):
            if (name, key) != ("decide", "rules"):
                settings.append((name, key, value))
    return {
        "recipe": material.recipe,
        "rules": [(rule, steps[rule.name]) for rule in figures.ledger_rules(material.root)],
        "settings": settings,
        "version": __version__,
        "outputs": [(name, one.version, one.content) for name, one in manifests.items() if one],
    }


def _flat(settings: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """The settings with dotted keys, in order."""
    found: list[tuple[str, Any]] = []
    for key, value in sorted(settings.items()):
        if isinstance(value, dict):
            found += _flat(value, f"{before}{key}.")
        else:
            found.append((before + key, value))
    return found


SECTION = Section("making", "How it was made", _look_up)

"""Exact and near-duplicates: the groups by their size, where the copies come from, the largest groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starloom.report import copies, figures
from starloom.report.clusters import Cluster, clusters
from starloom.report.copies import Flow, Place, Size
from starloom.report.section import Material, Section
from starloom.the_stack import relations

_PLACES = {
    copies.WITHIN: "in its own repository",
    relations.MIRROR: "in a mirror of its repository",
    relations.FORK: "in a fork of its repository, or the other way about",
    relations.VENDORED: "vendored in another repository",
    copies.ELSEWHERE: "in another repository",
}


@dataclass(frozen=True)
class _Shown:
    """The duplicates of one kind as the template words them. Without `step` they were not looked for."""

    rule: str
    title: str
    words: str
    step: figures.Step | None
    unverified: int  # files
    sizes: list[Size]
    places: list[tuple[str, Place]]
    flows: list[Flow]
    pairs: int  # of repositories, in all
    clusters: list[Cluster]

    @property
    def widest(self) -> int:
        """Files of the size that has most."""
        return max((one.groups + one.files for one in self.sizes), default=0)


def _look_up(material: Material) -> Mapping[str, Any]:
    settings = figures.ledger_settings(material.root)
    is_star = settings["decide"].get("clusters", "stars") == "stars"
    near = "Alike by the words in them; the similarity is counted, not estimated." if is_star else _CHAINS
    kinds = [
        _shown(material, "exact-duplicate", "Exact duplicates", "The same content, byte for byte."),
        _shown(material, "near-duplicate", "Near-duplicates", near),
    ]
    relations, total = copies.relations(material.root, material.engine)
    return {
        "kinds": kinds,
        "threshold": settings["decide"]["near_duplicates"] if is_star else 0,
        "relations": relations,
        "total": total,
    }


_CHAINS = "Whatever a chain of pairs links is one group: its ends need not be alike."


def _shown(material: Material, rule: str, title: str, words: str) -> _Shown:
    root, engine = material.root, material.engine
    flows, pairs = copies.flows(root, engine, rule)
    return _Shown(
        rule=rule,
        title=title,
        words=words,
        step=next((step for step in material.steps if step.name == rule), None),
        unverified=copies.unverified(root, engine, rule),
        sizes=copies.sizes(root, engine, rule),
        places=[(_PLACES[one.kind], one) for one in copies.places(root, engine, rule)],
        flows=flows,
        pairs=pairs,
        clusters=clusters(root, engine, rule),
    )


SECTION = Section("duplicates", "Duplicates", _look_up)

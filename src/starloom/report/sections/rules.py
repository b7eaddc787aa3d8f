"""Every step: what it dropped in which languages, how its values lie around its limit, and files on both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from starloom.report import dropped
from starloom.report.dropped import JACCARD
from starloom.report.figures import Step, ledger_settings
from starloom.report.groups import Group, group
from starloom.report.histogram import histogram
from starloom.report.samples import Near, Samples, samples
from starloom.report.section import Material, Section
from starloom.the_stack import tables
from starloom.the_stack.thresholds import Distribution, number

PER_RULE = 10  # samples of either kind
_LANGUAGES = 8


@dataclass(frozen=True)
class _Shown:
    """A step as the template words it."""

    step: Step
    group: Group
    languages: Sequence[dropped.InLanguage]
    others: dropped.InLanguage | None
    matches: dropped.Matches
    charts: Sequence[tuple[Markup, str]]  # with what the picture does not say
    samples: Samples


def _look_up(material: Material) -> Mapping[str, Any]:
    root, engine = material.root, material.engine
    languages = dropped.by_language(root, engine)
    matched = dropped.matches(root, engine)
    limits = {step.name: _limits(material, step) for step in material.steps}
    nearly: dict[str, Sequence[Near]] = {name: one.nearly for name, one in limits.items()}
    drawn = samples(root, engine, nearly, PER_RULE)
    shown = []
    for step in material.steps:
        if step.kind != "rule" and not step.files:
            continue
        first, others = dropped.fewest(languages.get(step.name, ()), _LANGUAGES)
        shown.append(
            _Shown(
                step=step,
                group=group(step),
                languages=first,
                others=others,
                matches=matched.get(step.name, dropped.Matches(0, 0)),
                charts=[(_chart(one), _beside(one)) for one in limits[step.name].distributions],
                samples=drawn.get(step.name, Samples((), ())),
            )
        )
    return {"shown": shown, "most": max((one.step.files for one in shown), default=0), "per_rule": PER_RULE}


def _limits(material: Material, step: Step) -> dropped.Limits:
    root, engine = material.root, material.engine
    if step.kind == "rule":
        return dropped.limits(root, engine, step.rule, PER_RULE)
    if step.name == tables.NEAR_DUPLICATE:
        threshold = ledger_settings(root)["decide"]["near_duplicates"]
        return dropped.near_duplicates(root, engine, threshold, PER_RULE)
    return dropped.Limits((), ())


def _chart(one: Distribution) -> Markup:
    words = f"{one.left} {one.operator} {number(one.limit)}"
    title = f"By {one.left}: what is {one.operator} {number(one.limit)} is dropped"
    return histogram(title, one.edges, one.kept, one.dropped, one.limit, one.operator.startswith(">"), words)


def _beside(one: Distribution) -> str:
    if one.column == JACCARD:
        unknown = f"; of {one.unknown:,} it was not verified" if one.unknown else ""
        return f"similarity to the most alike file: {sum(one.kept):,} kept, {sum(one.dropped):,} dropped{unknown}"
    unknown = f"; of {one.unknown:,} it is not known" if one.unknown else ""
    return f"{one.left}: {sum(one.kept):,} kept, {sum(one.dropped):,} dropped by this rule alone{unknown}"


SECTION = Section("rules", "Rules", _look_up)

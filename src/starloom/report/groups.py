"""The kinds of steps of the funnel, in its order, as the colours and words of every overview."""

from typing import NamedTuple

from starloom.report.figures import Step


class Group(NamedTuple):
    key: str
    label: str
    color: str  # a class of style.css


GROUPS = (
    Group("refusal", "no text, or too large", "refused"),
    Group("quarantine", "damaged or unreadable", "quarantine"),
    Group("license", "licence", "license"),
    Group("rule", "rules", "rule"),
    Group("exact-duplicate", "exact duplicates", "exact"),
    Group("near-duplicate", "near-duplicates", "near"),
    Group("budget", "beyond a budget", "budget"),
)
_BY_KEY = {one.key: one for one in GROUPS}


def group(step: Step) -> Group:
    """The group that a step belongs to."""
    if step.kind == "duplicate":
        return _BY_KEY[step.name]
    return _BY_KEY["license" if step.kind == "rule" and "license" in step.rule.drop else step.kind]

"""What is done to each kind of document, and in which order: Table 3 of arXiv 2402.19173, as data in the recipe.

    [documents.notebook-scripts]
    steps = ["opt-outs", "licenses", "malware", "decontamination", "exact-duplicates", "near-duplicates",
             "personal-data"]

`source` has its row as well. What a step means is said here, once: a rule of the recipe, or a setting. Without `steps`
a kind has all that the recipe has for source files.

Not every order can be had. Opt-outs come first, since what nobody may have decides nothing. Whatever drops a file by
what is in it comes before the duplicates, unlike in the paper: a file that is dropped for malware must not have been
the one for which its clean twin went. What is replaced comes last, in what is left. Nobody can leave out opt-outs, nor
equal contents, which are stored once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from starloom.errors import UserError
from starloom.settings import nearest
from starloom.the_stack.rules import Rule

FOLDER: Final = "documents"  # of a workspace; in it one for each kind
KINDS: Final = ("notebook-scripts", "notebook-structured")

RULES: Final[Mapping[str, str]] = {"licenses": "license", "malware": "malware", "decontamination": "contaminated"}

# A step never comes before one of a lower stage.
_STAGES: Final[Mapping[str, int]] = {
    "opt-outs": 0,
    **dict.fromkeys(RULES, 1),
    "exact-duplicates": 2,
    "near-duplicates": 3,
    "personal-data": 4,
}
_ALWAYS: Final = ("opt-outs", "exact-duplicates")


@dataclass(frozen=True)
class KindSettings:
    """`[documents.KIND]`. `rules`: what else drops a document of this kind, asked after those of the steps."""

    steps: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        check_order(self.steps)


@dataclass(frozen=True)
class SourceSteps:
    """`[documents.source]`: the row of source files, whose rules are the recipe's."""

    steps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_order(self.steps)


@dataclass(frozen=True)
class DocumentsSettings:
    """`[documents]`: a row for each kind."""

    source: SourceSteps = field(default_factory=SourceSteps)
    notebook_scripts: KindSettings = field(default_factory=KindSettings)
    notebook_structured: KindSettings = field(default_factory=KindSettings)


@dataclass(frozen=True)
class Resolved(DocumentsSettings):
    """The rows, once source files have theirs; and what the recipe says without any, of which other kinds take
    theirs."""

    rules: tuple[Rule, ...] = ()
    decide: Any = None
    redact: Any = None


def check_order(steps: tuple[str, ...]) -> None:
    """Raises UserError for a step that is not known, stands twice, or cannot come where it stands."""
    words = f"[documents] steps = {list(steps)}"
    for step in steps:
        if step not in _STAGES:
            raise UserError(f"{words}: the step {step!r} is not known", nearest(step, _STAGES))
        if steps.count(step) > 1:
            raise UserError(f"{words}: {step!r} stands twice", "keep one of them")
    if not steps:
        return
    for step in _ALWAYS:
        if step not in steps:
            raise UserError(f"{words}: {step!r} is missing, and cannot be left out", "add it, or write no steps")
    for before, after in pairwise(steps):
        if _STAGES[before] > _STAGES[after]:
            order = ", ".join(sorted(steps, key=_STAGES.__getitem__))
            raise UserError(f"{words}: {after!r} cannot come after {before!r}", f"an order that works: {order}")


def kind_of(root: Path) -> str | None:
    """The kind whose documents are in this folder, by its name; None where it is no such folder."""
    root = root.absolute()
    return root.name if root.parent.name == FOLDER and root.name in KINDS else None


def of_source(settings: Any) -> Any:
    """The settings of a workspace with the steps of source files, and no others. Raises UserError."""
    before = _before(settings)
    rows = {one.name: getattr(before.documents, one.name) for one in fields(DocumentsSettings)}
    resolved = Resolved(**rows, rules=before.rules, decide=before.decide, redact=before.redact)
    return replace(_scoped(before, before.documents.source.steps, before.rules), documents=resolved)


def of_kind(settings: Any, kind: str) -> Any:
    """The settings by which documents of `kind` are measured, decided and written: the workspace's, with that kind's
    steps and rules in the place of the recipe's. No budget is meant for them, and no source leads to them. Raises
    UserError."""
    before = _before(settings)
    own: KindSettings = getattr(before.documents, kind.replace("-", "_"))
    scoped = _scoped(before, own.steps, tuple(rule for rule in before.rules if rule.name in RULES.values()))
    scan = replace(settings.scan, scancode="off")  # licences are those of the files that they were made of
    return replace(scoped, rules=(*scoped.rules, *own.rules), budgets=(), sources=(), scan=scan)


def _before(settings: Any) -> Any:
    """The settings as the recipe has them, without the steps of source files."""
    rows = settings.documents
    if not isinstance(rows, Resolved):
        return settings
    return replace(settings, rules=rows.rules, decide=rows.decide, redact=rows.redact)


def _scoped(settings: Any, steps: tuple[str, ...], rules: tuple[Rule, ...]) -> Any:
    """Settings that do these steps: of `rules`, those of steps in the order of the steps, in the places of such rules;
    the rules of steps that are not asked for go."""
    if not steps:
        return replace(settings, rules=rules)
    known = {rule.name: rule for rule in rules}
    ordered = [RULES[step] for step in steps if step in RULES]
    for step in steps:
        if step in RULES and RULES[step] not in known:
            raise UserError(
                f"[documents]: the step {step!r} needs the rule {RULES[step]!r}, which the recipe does not have",
                "add it as [[rules]], or leave out the step",
            )
    waiting = iter(known[name] for name in ordered)
    found = tuple(
        next(waiting) if rule.name in ordered else rule
        for rule in rules
        if rule.name in ordered or rule.name not in RULES.values()
    )
    decide, redact = settings.decide, settings.redact
    if "near-duplicates" not in steps:
        decide = replace(decide, near_duplicates=0.0)
    if "personal-data" not in steps:
        redact = replace(redact, source=replace(redact.source, replace="none"))
    return replace(settings, rules=found, decide=decide, redact=redact)

"""Which licence each copy of each file has, and on what evidence.

Careful, the default. By path: a statement about the very file (debian/copyright, REUSE) is first; else a licence file
or package metadata speaks for everything below its folder, and nested ones add to it (or, `propagation = "nearest"`,
stand in its place). Then, per content: its own notice beats its origin's licence (the earliest, not vendored occurrence
known), which beats other copies. Where the copies disagree and the origin cannot be told (a copy without history may be
the older one), the conflict is not permissive. An empty file is nobody's: each copy has what its path says.

Paper (arXiv 2402.19173, section 2.2, and its published scripts): the repository's declared licence, else what licence
files above say, for each copy by itself; notices and origins are not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.licenses.categories import UNKNOWN, UNKNOWN_REFERENCE, expression_class
from starloom.licenses.expressions import symbols
from starloom.licenses.verdict import NO_ASSERTION, LicenseType, license_type
from starloom.the_stack import copied_licenses
from starloom.the_stack.id_places import places
from starloom.the_stack.spoken import GROUNDS, SCANNED, SPAN, speaking, spoken
from starloom.the_stack.stated import stated_files


@dataclass(frozen=True)
class LicenseSettings:
    """`[licenses]`: how what is found becomes a verdict."""

    order: str = "careful"  # careful: a file's own notice, then its origin, then its path; paper: as The Stack v2 did
    propagation: str = "union"  # union: a folder's licence files add to those above; nearest: they stand in their place

    def __post_init__(self) -> None:
        for name, words in (("order", ("careful", "paper")), ("propagation", ("union", "nearest"))):
            if getattr(self, name) not in words:
                raise UserError(
                    f'[licenses] {name} = "{getattr(self, name)}" is unknown', f"use one of {', '.join(words)}"
                )


# The columns of the listing that verdicts hang on.
LISTED = ("entry_type", "length_bytes", "first_seen", "is_vendor", "license_base", "metadata_base", "is_license")

# The columns of signals that few files have, all but the texts.
HEARD = {
    "license_file": ("content_id", "file_name", "file_license", "is_license", "is_plain", "text_id", "text_lines"),
    "statements": ("content_id", "file_name", "statements"),
}

_TYPES: tuple[LicenseType, ...] = ("permissive", "no_license", "non_permissive")
_DECLARED = "SELECT repo_name, coalesce(declared_license, gha_license_id) AS declared FROM repositories"

# What ScanCode finds in a notice counts where it names a licence, not where it sees a mere reference to one.
_NOTICES = f"""
SELECT n.content_id, coalesce(n.notice_license, s.expression) AS expression,
  CASE WHEN n.notice_license IS NULL THEN {SCANNED.format("n")}
    ELSE {SPAN.format(start="n.notice_line", end="n.notice_end")} END AS lines,
  CASE WHEN n.notice_license IS NULL THEN 'ScanCode ' || s.rule ELSE 'notice: ' || n.notice_kind END AS rule,
  CASE WHEN n.notice_license IS NULL THEN s.score ELSE 100.0 END AS score
FROM notice n LEFT JOIN scans s ON n.text_id = s.text_id
WHERE n.notice_license IS NOT NULL OR s.expression IS NOT NULL
"""


class _Verdicts(NamedTuple):
    """Of each file: a case, what is said of its licence, and a ground, who says so (-1: nobody)."""

    case: NDArray[np.int64]
    ground: NDArray[np.int64]
    types: NDArray[np.int64]  # of each case: a number in _TYPES
    licenses: list[list[str]]  # of each case
    evidence: list[str]  # of each case
    grounds: pa.Table  # source, rule, score


def license_verdicts(
    engine: Engine, files: pa.Table, repositories: Table, signals: Mapping[str, Table], settings: LicenseSettings
) -> dict[str, Any]:
    """license_type, detected_licenses, license_evidence, license_source, license_rule and license_score of each file,
    null of those without a content.

    `files`: as `placed` gives them, with the columns LISTED; `signals`: license_file, notice, statements, scans.
    """
    found = _by_path(engine, files, repositories, signals, settings)
    if settings.order == "careful":
        notices = _naming(engine.table(_NOTICES, {name: signals[name] for name in ("notice", "scans")}))
        found = _with_copies(files, found, notices)
    without = files.column("content").is_null().combine_chunks().to_numpy(zero_copy_only=False)
    case, ground = pa.array(found.case, mask=without), pa.array(found.ground, mask=without | (found.ground < 0))
    rows = found.grounds.combine_chunks().take(ground)
    return {
        "license_type": pa.array(_TYPES).take(pa.array(found.types)).take(case),
        "detected_licenses": pa.array(found.licenses, pa.list_(pa.string())).take(case),
        "license_evidence": pa.array(found.evidence, pa.string()).take(case),
        **{f"license_{name}": rows.column(name) for name in ("source", "rule", "score")},
    }


def _by_path(
    engine: Engine, files: pa.Table, repositories: Table, signals: Mapping[str, Table], settings: LicenseSettings
) -> _Verdicts:
    """What the path of each file says."""
    few = speaking(files)
    heard = {name: signals[name] for name in ("license_file", "statements", "scans")}
    above = spoken(engine, files, few, heard)
    saying, sayings = stated_files(engine, files, few, signals["statements"])

    listed = files.column("repo_name").combine_chunks()
    known = engine.table(_DECLARED, {"repositories": repositories}).combine_chunks()
    where = pc.index_in(listed.dictionary, known.column("repo_name").combine_chunks())
    declared = known.column("declared").combine_chunks().take(where).dictionary_encode("encode")
    repository = listed.indices.to_numpy().astype(np.int64)
    stated = np.append(sayings.column("stated_id").to_numpy(), -1)[saying] + 1
    expressions = dict(zip(sayings.column("stated_id").to_pylist(), sayings.column("expressions").to_pylist()))

    # Of few things that can be said (declared, above, stated) each is judged once.
    sizes = (len(declared.dictionary), len(above.levels), int(stated.max(initial=0)) + 1)
    keys = np.ravel_multi_index((declared.indices.to_numpy()[repository], above.above, stated), sizes)
    cases = pa.array(keys).dictionary_encode()
    case = cases.indices.to_numpy().astype(np.int64)
    judged = [
        _judge(declared.dictionary[one].as_py(), above.levels[levels], expressions.get(own - 1), settings)
        for one, levels, own in zip(*(i.tolist() for i in np.unravel_index(cases.dictionary.to_numpy(), sizes)))
    ]
    types = np.array([_TYPES.index(one[0]) for one in judged], np.int64)
    evidence = [one[2] for one in judged]

    on = np.array(evidence, dtype=str)[case]
    first, second = len(above.sources), len(above.sources) + len(sayings)
    ground = np.select(
        [on == "path", on == "stated", on == "declared"], [above.nearest, first + saying, second + repository], -1
    )
    grounds = [above.sources, _grounds(sayings.column("source"), sayings.column("rule"), 100.0)]
    grounds.append(_grounds(listed.dictionary, "declared licence", 100.0))
    return _Verdicts(case, ground, types, [one[1] for one in judged], evidence, pa.concat_tables(grounds))


def _with_copies(files: pa.Table, found: _Verdicts, notices: pa.Table) -> _Verdicts:
    """What notices say beats what origins say, which beats the path of a copy."""
    kind = found.types[found.case]
    first_seen = files.column("first_seen").combine_chunks().cast(pa.int64())
    origin = copied_licenses.origins(
        copied_licenses.Files(
            files.column("content").fill_null(-1).to_numpy().astype(np.int64),
            pc.greater(files.column("length_bytes"), 0).fill_null(False).to_numpy(),
            files.column("is_vendor").to_numpy(),
            first_seen.is_valid().to_numpy(zero_copy_only=False),
            first_seen.fill_null(0).to_numpy(),
            kind,
        )
    )
    notice = places(files.column("content_id"), notices.column("content_id")).fill_null(-1).to_numpy().astype(np.int64)
    by_notice = notice >= 0
    in_conflict = ~by_notice & origin.is_copied & (origin.best < 0)
    by_origin = ~by_notice & (origin.best >= 0) & (kind[origin.best] != kind)

    # What can be said: of paths as before, then by notices, then of paths in conflict, then of origins.
    expression = notices.column("expression").combine_chunks()
    expressions = expression.dictionary.to_pylist()
    count = len(found.types)
    case = found.case.copy()
    case[by_notice] = count + np.append(expression.indices.to_numpy(), 0)[notice[by_notice]]
    case[in_conflict] += count + len(expressions)
    case[by_origin] = found.case[origin.best[by_origin]] + 2 * count + len(expressions)
    classes = ["permissive" if expression_class(one) == "permissive" else "non_permissive" for one in expressions]
    in_doubt = np.full(count, _TYPES.index("non_permissive"))
    types = [found.types, np.array([_TYPES.index(one) for one in classes], np.int64), in_doubt, found.types]
    licenses = [*found.licenses, *([one] for one in expressions), *found.licenses, *found.licenses]
    evidence = [*found.evidence, *["notice"] * len(expressions), *["conflict"] * count, *["origin"] * count]

    # Who says so: of notices and of origins that nothing is said of, the file itself.
    ground = found.ground.copy()
    ground[by_origin] = found.ground[origin.best[by_origin]]
    silent = np.flatnonzero(by_origin & (ground < 0))
    speak = np.flatnonzero(by_notice)
    said = notices.take(pa.array(notice[speak]))
    ground[speak] = len(found.grounds) + np.arange(len(speak))
    ground[silent] = len(found.grounds) + len(speak) + np.arange(len(silent))
    grounds = [
        found.grounds,
        _grounds(_places(files, speak, said.column("lines")), said.column("rule"), said.column("score")),
        _grounds(_places(files, origin.best[silent]), None, None),
    ]
    return _Verdicts(case, ground, np.concatenate(types), licenses, evidence, pa.concat_tables(grounds))


def _places(files: pa.Table, rows: NDArray[np.int64], *lines: Any) -> pa.Array:
    """REPO:PATH or REPO:PATH:LINES of some files."""
    some = files.select(["repo_name", "path"]).take(pa.array(rows))
    return pc.binary_join_element_wise(some.column("repo_name").cast(pa.string()), some.column("path"), *lines, ":")


def _grounds(source: Any, rule: Any, score: Any) -> pa.Table:
    """Rows of `grounds`; of rule and score one for all, or one each."""
    rules, scores = (
        pa.array([value] * len(source), kind) if value is None or isinstance(value, str | float) else value
        for value, kind in ((rule, pa.string()), (score, pa.float64()))
    )
    return pa.table([source, rules, scores], schema=GROUNDS)


def _naming(notices: pa.Table) -> pa.Table:
    """Those that name a licence, their expressions as a dictionary array: the same few, again and again."""
    encoded = notices.column("expression").combine_chunks().dictionary_encode()
    names = [
        any(one != UNKNOWN_REFERENCE and expression_class(one) != "neutral" for one in symbols(expression))
        for expression in encoded.dictionary.to_pylist()
    ]
    place = notices.column_names.index("expression")
    return notices.set_column(place, "expression", encoded).filter(pa.array(names, pa.bool_()).take(encoded.indices))


def _judge(
    declared: str | None, levels: list[dict[str, Any]], stated: list[str] | None, settings: LicenseSettings
) -> tuple[LicenseType, list[str], str]:
    if settings.order == "paper":
        detected = sorted({one for level in levels for key in ("files", "readme") for one in level[key]})
        evidence = "declared" if declared and declared != NO_ASSERTION else "path" if detected else "none"
        if any(level["unread"] or level["plain"] for level in levels) and not detected:
            detected = [UNKNOWN]  # the paper's scanner had an answer for every text
        shown = [declared] if declared and evidence == "declared" else detected
        return license_type(declared, detected, either=True), shown, evidence
    if stated:
        return license_type(None, stated), stated, "stated"
    found = [_level(one, declared if one["at_top"] else None) for one in levels]
    if declared and not any(one["at_top"] for one in levels):
        found.insert(0, [declared])
    found = [one for one in found if one]
    if settings.propagation == "nearest":
        found = found[-1:]
    licenses = sorted({one for some in found for one in some})
    if not licenses:
        return "no_license", [], "none"
    only_declared = licenses == [declared] and not any(
        declared in level[key] for level in levels for key in ("files", "metadata")
    )
    return license_type(None, licenses), licenses, "declared" if only_declared else "path"


def _level(level: dict[str, Any], declared: str | None) -> list[str]:
    """What one folder says of itself.

    Metadata says how the texts beside it go together: texts of licences that it names add nothing ("MIT OR
    GPL-2.0-only" beside both texts is a choice). A text that nobody could read is an unknown licence, whatever is
    said beside it; if it is plainly permissive, metadata may name it. A README is heard where nothing else speaks.
    """
    metadata = [*level["metadata"], *([declared] if declared else [])]
    metadata = [one for one in metadata if one != NO_ASSERTION] or metadata
    named = {_family(one) for expression in metadata for one in symbols(expression)}
    texts = [one for one in level["files"] if not {_family(name) for name in symbols(one)} <= named]
    found = [*metadata, *texts]
    if level["unread"] or (level["plain"] and metadata in ([], [NO_ASSERTION])):
        found.append(UNKNOWN)
    return found or list(level["readme"])


def _family(spdx_id: str) -> str:
    """GNU's texts do not say "or later", metadata does."""
    return spdx_id.removesuffix("+").removesuffix("-or-later").removesuffix("-only").lower()

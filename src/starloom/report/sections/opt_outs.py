"""What is left out because somebody does not want to be in, and what stands in the dataset nearly the same.

Says which repositories, contents and entries; never who asked. It tells of what was built: an entry that came since
shows after the next build.
"""

from collections.abc import Mapping
from typing import Any

from starloom.report.section import Material, Section
from starloom.the_stack import opt_out_held, opt_outs, tables
from starloom.the_stack.opt_out_subject import folded
from starloom.the_stack.opt_outs import OptOuts

_SHOWN = 20
_REASON = "opted out: "

_FILES = """
SELECT "value" AS entry, count(*) AS files, count(DISTINCT content_id) AS contents,
  count(DISTINCT repo_name) AS repositories, CAST(coalesce(sum(length_bytes), 0) AS BIGINT) AS bytes
FROM ledger WHERE rule = $rule AND path <> '' GROUP BY "value" ORDER BY files DESC, entry
"""
_CONTENTS = """SELECT DISTINCT content_id, "value" AS entry FROM ledger
WHERE rule = $rule AND path <> '' AND content_id IS NOT NULL ORDER BY ALL"""
_REPOSITORIES = "SELECT coalesce(repo_name, location) AS name, reason FROM problems WHERE rule = $rule ORDER BY ALL"


def _look_up(material: Material) -> Mapping[str, Any]:
    root, engine = material.root, material.engine
    rule = {"rule": opt_outs.RULE}
    ledger, problems = {"ledger": tables.ledger(root)}, {"problems": tables.problems(root)}
    files = engine.table(_FILES, ledger, rule).to_pylist()
    repositories = [
        {"name": row["name"], "entry": row["reason"].removeprefix(_REASON)}
        for row in engine.table(_REPOSITORIES, problems, rule).to_pylist()
    ]
    contents = {row["content_id"]: row["entry"] for row in engine.table(_CONTENTS, ledger, rule).to_pylist()}
    names = {folded(row["name"]): row["entry"] for row in repositories}
    twins = opt_out_held.twins(root, engine, OptOuts(names, contents)) if names or contents else []
    return {
        "repositories": repositories[:_SHOWN],
        "repositories_total": len(repositories),
        "entries": files[:_SHOWN],
        "entries_total": len(files),
        "files_total": sum(row["files"] for row in files),
        "twins": twins[:_SHOWN],
        "twins_total": len(twins),
    }


SECTION = Section("opt_outs", "Opt-outs", _look_up)

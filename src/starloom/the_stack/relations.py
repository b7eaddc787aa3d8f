"""Repositories and folders that are copies: which repository is another's mirror or fork, and which folder was taken
from elsewhere. From the listing alone: no content is read.

*mirror*: both hold the very same contents. *fork*: at least half of the repository's contents stand in the origin,
below one folder of it (mostly its root). *vendored*: the same of a folder; of folders in one another that have one
origin, the topmost. Not counted, as they would make kin of strangers: licences, names that begin with a dot, files
under 64 bytes, and of a whole repository what it vendors; and at least eight contents must be common.

Why half of the copy, not of both together: origins go on. Of 170 repositories held against their own past, 92 of 100
that were left three months ago would be seen so, 80 after a year, 54 after three; by Jaccard similarity 88, 60 and 37.
Strangers that began with one template (12 small apps) shared a third at most.

A content votes for one place, its best by `tables.BEST`; so a relation points to the better copy, where the files stand
that are kept: it is no proof of who wrote them. Cost: linear in files times their folders, never pairs of repositories:
7 seconds of one core and 2 GB for a million files of 10,000 repositories. Not found: a fork that shares less than half
or renamed all files, and what lies deeper than 32 folders.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from starloom.engine.verbs import Engine, Table
from starloom.outside.paths import printable
from starloom.progress import counted
from starloom.the_stack import tables

MIRROR, FORK, VENDORED = "mirror", "fork", "vendored"

SHARE = 0.5  # of the contents that count
_LEAST = 8  # contents in common: small repositories of one template, and folders of icons, share some
_LEAST_BYTES = 64
_DEEPEST, _LONGEST = 32, 500  # folders in one another and characters of a path, beyond which a file does not count
_NOMINATED = 0.25  # share of votes from which a place is looked at: several origins may share a copy's files
_CANDIDATES = 3  # places looked at for one folder

# Numbers in place of names: a repository's is its standing (1 is the best), so that the lesser of two is the origin.
_NUMBERED = f"""
standing AS MATERIALIZED (
  SELECT repo_name, star_events_count, fork_events_count, row_number() OVER (
    ORDER BY coalesce(star_events_count, 0) DESC, coalesce(fork_events_count, 0) DESC, first NULLS LAST, repo_name
  ) AS repo
  FROM repositories LEFT JOIN (SELECT repo_name, min(first_seen) AS first FROM files GROUP BY repo_name)
    USING (repo_name)),
named AS MATERIALIZED (  -- the files that count
  SELECT repo, content_id, file_name, is_vendor, first_seen, path,
    left(path, greatest(length(path) - length(file_name) - 1, 0)) AS folder
  FROM files JOIN standing USING (repo_name)
  WHERE entry_type = 'file' AND content_id IS NOT NULL AND NOT is_license AND length_bytes >= {_LEAST_BYTES}
    AND NOT contains('/' || path, '/.') AND length(path) <= {_LONGEST}
    AND length(path) - length(replace(path, '/', '')) <= {_DEEPEST}),
leaves AS MATERIALIZED (  -- folders with files in them
  SELECT repo, folder, row_number() OVER () AS leaf, count(*) AS files, count(*) FILTER (NOT is_vendor) AS own
  FROM named GROUP BY repo, folder),
contents AS MATERIALIZED (
  SELECT content_id, row_number() OVER () AS content, min(repo) <> max(repo) AS shared FROM named GROUP BY content_id),
counted AS MATERIALIZED (
  SELECT repo, leaf, content, shared, file_name, is_vendor, first_seen, path
  FROM named JOIN leaves USING (repo, folder) JOIN contents USING (content_id))"""


def _ancestors(folders: str) -> str:
    """SQL of (repo, leaf, above, below) for each (repo, leaf, folder) of `folders` and each folder it lies in, itself
    too."""
    return f"""
  SELECT repo, leaf, array_to_string(parts[:depth - up], '/') AS above,
    array_to_string(parts[depth - up + 1:], '/') AS below
  FROM (SELECT repo, leaf, CASE folder WHEN '' THEN [] ELSE string_split(folder, '/') END AS parts,
      len(parts) AS depth FROM {folders}), unnest(range(0, depth + 1)) AS _(up)"""


_VOTERS = "leaves WHERE repo IN (SELECT repo FROM votes UNION ALL SELECT origin_repo FROM votes)"

# What stands elsewhere, folder by folder: candidates by votes, then counted exactly.
_FOUND = f"""
best AS (  -- the best place of each content that several repositories have
  SELECT content, repo, leaf, file_name
  FROM (SELECT c.*, repo_name, star_events_count, fork_events_count FROM counted c JOIN standing USING (repo)
    WHERE shared)
  QUALIFY row_number() OVER (PARTITION BY content ORDER BY {tables.BEST}) = 1),
votes AS MATERIALIZED (  -- from folder to folder: a file that has another name there says nothing of folders
  SELECT c.leaf, b.leaf AS origin, c.repo, b.repo AS origin_repo, count(*) AS files,
    count(*) FILTER (NOT c.is_vendor) AS own
  FROM counted c JOIN best b ON c.content = b.content AND c.repo <> b.repo AND c.file_name = b.file_name
  GROUP BY ALL),
above AS MATERIALIZED ({_ancestors(_VOTERS)}),
places AS MATERIALIZED (
  SELECT repo, above AS path, row_number() OVER () AS place FROM above GROUP BY repo, above),
up AS MATERIALIZED (
  SELECT leaf, place, below, path = '' AS is_root
  FROM above JOIN places ON above.repo = places.repo AND above.above = places.path),
sizes AS (
  SELECT place, sum(CASE WHEN is_root THEN own ELSE files END) AS files
  FROM up JOIN leaves USING (leaf) GROUP BY place),
climbed AS MATERIALIZED (  -- on its own: who would join up with itself by `below` first gets a million million rows
  SELECT u.place, v.origin AS leaf, u.below, sum(CASE WHEN is_root THEN own ELSE files END) AS votes
  FROM votes v JOIN up u ON v.leaf = u.leaf GROUP BY ALL),
aligned AS MATERIALIZED (  -- the votes, from every folder above both that they lie in by the same path
  SELECT c.place, u.place AS origin, sum(votes) AS votes
  FROM climbed c JOIN up u ON c.leaf = u.leaf AND c.below = u.below GROUP BY ALL),
nominated AS MATERIALIZED (
  SELECT a.place, a.origin, a.votes
  FROM aligned a JOIN sizes USING (place)
    JOIN places p ON a.place = p.place JOIN places o ON a.origin = o.place
    LEFT JOIN aligned r ON a.origin = r.place AND a.place = r.origin
  WHERE a.votes >= greatest(2, {_NOMINATED} * files)
    AND (a.votes > coalesce(r.votes, 0) OR a.votes = r.votes AND o.repo < p.repo)
  QUALIFY row_number() OVER (PARTITION BY a.place ORDER BY a.votes DESC, o.repo, o.path) <= {_CANDIDATES}),
ours AS MATERIALIZED (
  SELECT place, content, count(*) AS files
  FROM (SELECT DISTINCT place FROM nominated) JOIN up USING (place) JOIN counted USING (leaf)
  WHERE NOT (is_root AND is_vendor) GROUP BY place, content),
theirs AS (
  SELECT DISTINCT place AS origin, content
  FROM (SELECT DISTINCT origin AS place FROM nominated) JOIN up USING (place) JOIN counted USING (leaf)),
common AS (
  SELECT place, origin, votes, count(*) AS contents, sum(files) AS files
  FROM nominated JOIN ours USING (place) JOIN theirs USING (origin, content) GROUP BY ALL),
found AS (
  SELECT p.repo, p.path, CASE p.path WHEN '' THEN '{FORK}' ELSE '{VENDORED}' END AS kind, o.repo AS origin,
    o.path AS origin_path, common.contents / w.contents AS share, CAST(files AS BIGINT) AS files
  FROM common JOIN (SELECT place, count(*) AS contents FROM ours GROUP BY place) w USING (place)
    JOIN places p USING (place) JOIN places o ON common.origin = o.place
  WHERE common.contents >= {_LEAST} AND share >= {SHARE}
  QUALIFY row_number() OVER (PARTITION BY place ORDER BY common.contents DESC, votes DESC, o.repo, o.path) = 1)"""

# Repositories with the very same contents, whatever their names there.
_MIRRORS = f"""
every AS MATERIALIZED (
  SELECT repo, content_id, count(*) AS files FROM files JOIN standing USING (repo_name)
  WHERE entry_type = 'file' AND content_id IS NOT NULL GROUP BY ALL),
outlines AS (
  SELECT repo, count(*) AS contents, min(content_id) AS least, max(content_id) AS most FROM every GROUP BY repo),
sets AS (  -- of those that may be equal, exactly
  SELECT repo, md5(string_agg(content_id, '' ORDER BY content_id)) AS contents, sum(files) AS files
  FROM every
    JOIN (SELECT repo FROM outlines QUALIFY count(*) OVER (PARTITION BY contents, least, most) > 1) USING (repo)
  GROUP BY repo),
mirrors AS (
  SELECT repo, '' AS path, '{MIRROR}' AS kind, min(repo) OVER (PARTITION BY contents) AS origin, '' AS origin_path,
    CAST(1 AS DOUBLE) AS share, CAST(files AS BIGINT) AS files
  FROM sets WHERE repo IN (SELECT repo FROM leaves) QUALIFY origin <> repo)"""

_RELATIONS = f"""
WITH {_NUMBERED}, {_FOUND}, {_MIRRORS},
known AS MATERIALIZED (
  SELECT * FROM mirrors
  UNION ALL SELECT * FROM found WHERE path <> '' OR repo NOT IN (SELECT repo FROM mirrors)),
numbered AS MATERIALIZED (SELECT *, row_number() OVER () AS leaf FROM known),
within AS (  -- folders of a folder, or of a repository, that has the same origin
  SELECT DISTINCT n.leaf
  FROM numbered n JOIN ({_ancestors("(SELECT repo, leaf, path AS folder FROM numbered)")}) a USING (leaf)
    JOIN known o ON a.below <> '' AND n.repo = o.repo AND a.above = o.path AND n.origin = o.origin)
SELECT r.repo_name, path, kind, o.repo_name AS origin_repo_name, origin_path, share, files, repo, origin
FROM numbered ANTI JOIN within USING (leaf) JOIN standing r USING (repo) JOIN standing o ON origin = o.repo
ORDER BY r.repo_name, path
"""


def related(engine: Engine, files: Table, repositories: Table) -> pa.Table:
    """Rows of RELATIONS, by repository and folder, from LISTED_FILES and REPOSITORIES. At most one row for a folder; no
    repository is a copy of itself, not by way of others either."""
    found = engine.table(_RELATIONS, {"files": files, "repositories": repositories})
    whole = pc.equal(found.column("path"), "")
    numbers = found.filter(whole).select(["repo", "origin"]).to_pydict()
    best = _best_of_rings(dict(zip(numbers["repo"], numbers["origin"], strict=True)))
    goes = pc.and_(
        whole, pc.is_in(found.column("repo"), value_set=pa.array(sorted(best), found.schema.field("repo").type))
    )
    return found.filter(pc.invert(goes)).select(tables.RELATIONS.names).cast(tables.RELATIONS)


def _best_of_rings(origins: dict[int, int]) -> set[int]:
    """Of each ring (a copy of b, b of c, c of a) the best repository, which has the least number. A ring can be where
    the best place of a content is another one for every content."""
    found: set[int] = set()
    done: set[int] = set()
    for start in origins:
        walk: list[int] = []
        here: int | None = start
        while here is not None and here not in done:
            done.add(here)
            walk.append(here)
            here = origins.get(here)
        if here in walk:
            found.add(min(walk[walk.index(here) :]))
    return found


_OF_REPOSITORY = """
SELECT *, count(*) OVER () AS folders FROM relations WHERE repo_name = $repo_name
ORDER BY path <> '', files DESC, path LIMIT $rows"""

_OF_ORIGIN = """
SELECT kind, count(DISTINCT repo_name) AS repositories, list_slice(list_sort(list(DISTINCT repo_name)), 1, 3) AS some
FROM relations WHERE origin_repo_name = $repo_name GROUP BY kind ORDER BY kind"""


def of_repository(root: Path, engine: Engine, repo_name: str, limit: int = 8) -> dict[str, list[dict[str, Any]]]:
    """`copy_of`: the rows of RELATIONS of a repository, itself first, then its folders by files, at most `limit`, each
    with the number of all of them as `folders`; `copies`: by kind, in how many repositories it stands, and `some`."""
    relations, names = {"relations": tables.relations(root)}, {"repo_name": repo_name}
    copy_of = engine.table(_OF_REPOSITORY, relations, names | {"rows": limit}).to_pylist()
    return {"copy_of": copy_of, "copies": engine.table(_OF_ORIGIN, relations, names).to_pylist()}


def lines(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The answer of `of_repository` in words, a line each; none where nothing is known."""
    said = []
    for row in found["copy_of"]:
        origin = row["origin_repo_name"] + (f":{row['origin_path']}" if row["origin_path"] else "")
        share = f"{int(row['share'] * 100)} % of its contents stand there, {counted(row['files'], 'files')}"
        if row["kind"] == MIRROR:
            share = f"the same contents, {counted(row['files'], 'files')}"
        what = row["path"] + "/ is a copy" if row["path"] else row["kind"]
        said.append(f"{what} of {origin}  ({share})")
    if found["copy_of"] and (more := found["copy_of"][0]["folders"] - len(found["copy_of"])):
        said.append(f"… and {counted(more, 'more folders')} that are copies")
    words = {MIRROR: "mirrored by", FORK: "forked by", VENDORED: "copied into"}
    for row in found["copies"]:
        number = row["repositories"]
        others = f" and {number - len(row['some']):,} more" if number > len(row["some"]) else ""
        said.append(f"{words[row['kind']]} {', '.join(row['some'])}{others}")
    return [printable(line) for line in said]

"""Which repositories and folders are copies of others: from plain listings, and from repositories that are built."""

import hashlib
import json
import random
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.languages.choice import LanguageSettings, judge
from starloom.licenses.candidates import is_license_text
from starloom.stages import load_settings
from starloom.the_stack import relations, tables
from starloom.workspace import atomic
from starloom.workspace.run import engine
from the_stack.building import Workspace, code, git_repository

FACTS = judge(LanguageSettings()).facts


def content_id(what):
    return hashlib.sha1(str(what).encode()).hexdigest()


def listing(repositories, stars=(), first_seen=(), sizes=()):
    """(LISTED_FILES, REPOSITORIES), as far as relations ask, of {repository: {path: content}}; `first_seen` by
    (repository, content), a year; `sizes` by content, bytes."""
    stars, first_seen, sizes = dict(stars), dict(first_seen), dict(sizes)
    files = [
        {
            "repo_name": repo,
            "path": path,
            "file_name": path.rpartition("/")[2],
            "entry_type": "file",
            "content_id": content_id(content),
            "length_bytes": sizes.get(content, 1000),
            "is_vendor": FACTS(path).is_vendor,
            "is_license": is_license_text(path),
            "first_seen": datetime(first_seen[repo, content], 1, 1, tzinfo=UTC)
            if (repo, content) in first_seen
            else None,
        }
        for repo, tree in repositories.items()
        for path, content in tree.items()
    ]
    rows = [{"repo_name": repo, "star_events_count": stars.get(repo)} for repo in repositories]
    return (
        pa.Table.from_pylist(files, pa.schema([tables.LISTED_FILES.field(name) for name in files[0]])),
        pa.Table.from_pylist(
            rows,
            pa.schema(
                [tables.REPOSITORIES.field(name) for name in ("repo_name", "star_events_count", "fork_events_count")]
            ),
        ),
    )


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalEngine(EngineSettings(workers=1, memory="500MB"), tmp_path_factory.mktemp("spill")) as one:
        yield one


@pytest.fixture(scope="module")
def relate(local):
    """`relate({repository: {path: content}}, …)`: {(repository, folder): (kind, origin, its folder, share, files)}."""

    def about(repositories, **known):
        rows = relations.related(local, *listing(repositories, **known)).to_pylist()
        found = {
            (row["repo_name"], row["path"]): (
                row["kind"],
                row["origin_repo_name"],
                row["origin_path"],
                row["share"],
                row["files"],
            )
            for row in rows
        }
        assert len(found) == len(rows)
        return found

    return about


def tree(*contents):
    """A repository with a file for each content, some in a folder."""
    return {f"{'lib/' if int(content_id(one), 16) % 3 else ''}f{one}.c": one for one in contents}


def some(first, number):
    return range(first, first + number)


def test_mirror_has_the_very_same_contents(relate):
    origin = tree(*some(0, 3)) | {"LICENSE": "mit"}
    renamed = {f"elsewhere/{path}": content for path, content in origin.items()}
    found = relate({"a/x": origin, "b/x": renamed, "c/x": origin | {"LICENSE": "gpl"}, "d/x": tree(*some(0, 2))})
    assert found == {("b/x", ""): ("mirror", "a/x", "", 1.0, 4)}  # few as they are


def test_mirrors_point_to_the_best_of_them(relate):
    one = tree(*some(0, 3))
    found = relate({"a/x": one, "b/x": one, "c/x": one}, stars={"b/x": 7})
    assert {repo: row[:2] for (repo, _), row in found.items()} == {"a/x": ("mirror", "b/x"), "c/x": ("mirror", "b/x")}


@pytest.mark.parametrize(
    ("common", "own", "share"),
    [
        (8, 0, 1.0),  # all of it, and the origin has more
        (8, 8, 0.5),  # exactly half
        (8, 9, None),  # less than half
        (7, 0, None),  # too few to say anything
        (60, 40, 0.6),
    ],
)
def test_fork_has_half_of_its_contents_from_the_origin(relate, common, own, share):
    origin = tree(*some(0, common), *some(1000, 200))
    fork = tree(*some(0, common)) | {f"own{number}.c": f"own {number}" for number in range(own)}
    found = relate({"a/x": origin, "b/x": fork})
    assert found == ({} if share is None else {("b/x", ""): ("fork", "a/x", "", share, common)})


def test_origin_is_the_better_one(relate):
    one, other = tree(*some(0, 20)), tree(*some(1, 20))
    assert [*relate({"a/x": one, "b/x": other})] == [("b/x", "")]
    assert [*relate({"a/x": one, "b/x": other}, stars={"b/x": 1})] == [("a/x", "")]
    older = {("b/x", content): 2001 for content in some(0, 30)} | {("a/x", content): 2010 for content in some(0, 30)}
    assert [*relate({"a/x": one, "b/x": other}, first_seen=older)] == [("a/x", "")]


def test_repository_that_is_a_folder_of_another(relate):
    """As the read-only splits of a large repository are."""
    part = {"Console/Style.php": 1, **{f"Helper/h{number}.php": 10 + number for number in range(12)}}
    large = {f"src/Component/Console/{path}": content for path, content in part.items()} | tree(*some(500, 90))
    found = relate({"b/large": large, "a/part": part | {"new.php": 9}}, stars={"b/large": 30_000})
    assert found == {("a/part", ""): ("fork", "b/large", "src/Component/Console", 13 / 14, 13)}


def test_vendored_is_the_topmost_folder(relate):
    zlib = tree(*some(0, 20))
    user = {f"deps/zlib-1.2/{path}": content for path, content in zlib.items()} | tree(*some(500, 90))
    found = relate({"a/zlib": zlib, "b/user": user})
    assert found == {("b/user", "deps/zlib-1.2"): ("vendored", "a/zlib", "", 1.0, 20)}


def test_vendored_folder_is_no_better_than_its_origin(relate):
    """By its path it is somebody else's: stars do not help."""
    zlib = tree(*some(0, 20))
    user = {f"third_party/zlib/{path}": content for path, content in zlib.items()} | tree(*some(500, 90))
    found = relate({"z/zlib": zlib, "b/user": user}, stars={"b/user": 90_000})
    assert found == {("b/user", "third_party/zlib"): ("vendored", "z/zlib", "", 1.0, 20)}


def test_what_is_vendored_makes_no_fork(relate):
    """Two applications that have the same packages checked in."""
    packages = {f"node_modules/p{number}/index.js": number for number in range(90)}
    found = relate({"a/x": packages | tree(*some(500, 9)), "b/x": packages | tree(*some(600, 9))})
    assert found == {("b/x", "node_modules"): ("vendored", "a/x", "node_modules", 1.0, 90)}


def test_folder_within_a_copy_that_is_from_elsewhere_too(relate):
    """A fork's copy of a third repository has that one as its origin, as has its own origin's copy."""
    zlib = tree(*some(0, 20))
    user = {f"deps/zlib/{path}": content for path, content in zlib.items()} | tree(*some(500, 90))
    found = relate({"a/zlib": zlib, "b/user": user, "c/user": user | {"more.c": "more"}})
    assert {key: row[:3] for key, row in found.items()} == {
        ("b/user", "deps/zlib"): ("vendored", "a/zlib", ""),
        ("c/user", ""): ("fork", "b/user", ""),
        ("c/user", "deps/zlib"): ("vendored", "a/zlib", ""),
    }


def test_share_counts_all_that_the_origin_has(relate):
    """Four in ten files of the fork stand in a better repository, which gets their votes; the origin has them all."""
    first, second = some(0, 40), some(40, 60)
    found = relate(
        {"a/popular": tree(*first, *some(500, 90)), "b/origin": tree(*first, *second), "c/fork": tree(*first, *second)}
        | {"c/fork": tree(*first, *second) | {"new.c": "new"}},
        stars={"a/popular": 90},
    )
    assert found["c/fork", ""] == ("fork", "b/origin", "", 100 / 101, 100)


@pytest.mark.parametrize("path", ["LICENSE{}", ".github/workflows/w{}.yml", ".config{}", "vendor/v{}.js"])
def test_what_everybody_has_makes_no_kin(relate, path):
    everybody = {path.format(number or ""): f"common {number}" for number in range(1 if "LIC" in path else 20)}
    found = relate({"a/x": everybody | tree(*some(0, 5)), "b/x": everybody | tree(*some(10, 5))})
    assert ("b/x", "") not in found


def test_small_files_make_no_kin(relate):
    common = {f"f{number}.py": number for number in range(30)}
    one, other = common | {"one.py": "one"}, common | {"other.py": "other"}
    assert relate({"a/x": one, "b/x": other}, sizes=dict.fromkeys(range(30), 64))
    assert not relate({"a/x": one, "b/x": other}, sizes=dict.fromkeys(range(30), 63))


def test_licence_alone_makes_no_mirror(relate):
    assert relate({"a/x": {"LICENSE": "mit"}, "b/x": {"LICENSE": "mit"}, "c/x": {"c.c": 1}}) == {}


def test_ring_is_broken_at_the_best(relate):
    """Each has half of its contents from the next: a rule that drops copies must not drop all three."""
    x, y, z = some(0, 8), some(10, 8), some(20, 8)
    seen = {("b", one): 2001 for one in x} | {("c", one): 2001 for one in y} | {("a", one): 2001 for one in z}
    seen |= {("a", one): 2010 for one in x} | {("b", one): 2010 for one in y} | {("c", one): 2010 for one in z}
    found = relate({"a": tree(*x, *z), "b": tree(*x, *y), "c": tree(*y, *z)}, first_seen=seen)
    assert {key: row[1] for key, row in found.items() if not key[1]} == {("b", ""): "c", ("c", ""): "a"}


@pytest.mark.parametrize(
    "folder", ["a b", "it's", 'say "x"', "ü/ñ", "new\nline", "100%_", "a/a/a", "\\", "C:"], ids=lambda one: ascii(one)
)
def test_any_folder_name(relate, folder):
    lib = {f"f{number}.c": number for number in range(9)}
    found = relate({"a/x": lib, "b/x": {f"{folder}/{path}": one for path, one in lib.items()} | tree(*some(50, 60))})
    assert found == {("b/x", folder): ("vendored", "a/x", "", 1.0, 9)}


def test_deep_and_long_paths_do_not_count(relate):
    deep = {"/".join(["d"] * levels) + "/f.c": levels for levels in range(20, 2000, 40)}
    found = relate({"a/x": deep | {"a.c": "a"}, "b/x": deep | {"b.c": "b"}, "c/x": deep | {"a.c": "a"}})
    assert found == {("c/x", ""): ("mirror", "a/x", "", 1.0, 51)}


def test_nothing_listed(local):
    none = relations.related(local, tables.LISTED_FILES.empty_table(), tables.REPOSITORIES.empty_table())
    assert none.schema == tables.RELATIONS
    assert len(none) == 0


def test_ten_thousand_repositories_with_the_same_few_files(local):
    """All pairs of them were 50 million."""
    shared = {"LICENSE": "mit", "setup.cfg": "setup", "tox.ini": "tox"} | {f"t/t{one}.txt": one for one in range(7)}
    many = {f"o/r{one}": shared | {f"{one}/own{two}.c": (one, two) for two in range(3)} for one in range(10_000)}
    found = relations.related(local, *listing(many))
    # Of ten, the nine that count are most of each: every one is a fork of one, and of no other.
    assert len(found) == 9_999
    assert set(found.column("origin_repo_name").to_pylist()) == {"o/r0"}


PATHS = st.builds(
    lambda folders, name: "/".join([*folders, name]),
    st.lists(st.sampled_from(["lib", "src", "vendor", "a"]), max_size=3),
    st.sampled_from([f"f{number}.c" for number in range(12)]),
)
TREES = st.dictionaries(PATHS, st.integers(0, 60), min_size=12, max_size=40)
CHANGES = st.dictionaries(PATHS, st.integers(30, 90), min_size=1, max_size=12)


@st.composite
def families(draw):
    """Some repositories, most later ones with the tree of an earlier one in them, whole or in a folder."""
    found = {"r0": draw(TREES)}
    for number in range(1, draw(st.integers(2, 5))):
        if draw(st.integers(0, 3)):
            other, under = draw(st.sampled_from(sorted(found))), draw(st.sampled_from(["", "", "deps/", "lib/a/"]))
            own = {under + path: one for path, one in found[other].items()} | draw(CHANGES)
        else:
            own = draw(TREES)
        found[f"r{number}"] = {
            path: one for path, one in own.items() if not any(other.startswith(f"{path}/") for other in own)
        }
    return found


def _counted(tree, folder):
    """The contents that count below a folder."""
    below = f"{folder}/" if folder else ""
    return {one for path, one in tree.items() if path.startswith(below) and (folder or not FACTS(path).is_vendor)}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    families(),
    st.randoms(use_true_random=False),
    st.dictionaries(st.sampled_from(["r0", "r1", "r2"]), st.integers(0, 3)),
)
def test_every_relation_is_true(local, relate, repositories, dice, stars):
    found = relate(repositories, stars=stars)
    for (repo, folder), (kind, origin, origin_folder, share, files) in found.items():
        assert origin != repo
        ours, theirs = repositories[repo], repositories[origin]
        if kind == "mirror":
            assert set(ours.values()) == set(theirs.values())
            assert (folder, origin_folder, share, files) == ("", "", 1.0, len(ours))
            continue
        assert (kind == "fork") == (folder == "")
        mine = _counted(ours, folder)
        others = {one for path, one in theirs.items() if path.startswith(f"{origin_folder}/" if origin_folder else "")}
        assert share == len(mine & others) / len(mine) >= 0.5
        assert len(mine & others) >= 8
        above = ["", *(folder[:at] for at, one in enumerate(folder) if one == "/")] if folder else []
        assert not any((repo, one) in found and found[repo, one][1] == origin for one in above)
    for repo in repositories:  # no one is a copy of itself by way of others
        seen = [repo]
        while (seen[-1], "") in found:
            seen.append(found[seen[-1], ""][1])
            assert len(set(seen)) == len(seen)
    names = [*repositories]
    dice.shuffle(names)
    assert (
        relate(
            {name: dict(dice.sample([*(tree := repositories[name]).items()], len(tree))) for name in names}, stars=stars
        )
        == found
    )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(8, 40), st.integers(0, 60), st.sampled_from(["", "x", "deps/y"]), st.integers(0, 9))
def test_every_planted_copy_is_found(relate, common, own, folder, seed):
    dice = random.Random(seed)
    origin = {"/".join([*dice.choices("pqr", k=dice.randint(0, 3)), f"f{one}.c"]): one for one in range(common)}
    copy = {f"{folder}/{path}" if folder else path: one for path, one in origin.items()}
    copy |= {f"own/o{one}.c": f"own {one}" for one in range(own)}
    found = relate({"a": origin | {"more.c": "more"}, "b": copy})
    if folder:
        assert found["b", folder][:4] == ("vendored", "a", "", 1.0) or found["b", ""][:3] == ("fork", "a", "")
    else:
        assert (("b", "") in found) == (common >= own)


def test_workers_do_not_change_the_result(tmp_path, local):
    dice = random.Random(3)
    base = {f"d{one % 7}/f{one}.c": one for one in range(60)}
    many = {
        f"r{one}": {path: content if dice.random() < 0.8 else (one, content) for path, content in base.items()}
        for one in range(60)
    }
    files, repositories = listing(many)
    expected = relations.related(local, files, repositories)
    assert len(expected) > 50
    pq.write_table(files, tmp_path / "files.parquet", row_group_size=500)
    with LocalEngine(EngineSettings(workers=2), tmp_path / "spill") as two:
        assert relations.related(two, [tmp_path / "files.parquet"], repositories) == expected


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A repository, its fork, a mirror of it, and one that has it in a folder; without the last two at first."""
    base = tmp_path_factory.mktemp("relations")
    origin = {f"src/m{number}.py": code(number) for number in range(12)}
    more = {f"app/a{number}.py": code(100 + number) for number in range(14)}
    one = git_repository(base / "s" / "one", origin)
    fork = git_repository(base / "s" / "fork", origin, {"src/new.py": code(50)}, hours=9)
    work = Workspace(base / "w", one, fork).build("list")
    alone = rows(work)
    work.add(git_repository(base / "s" / "mirror", origin, hours=20))
    work.add(
        git_repository(
            base / "s" / "user", more | {f"deps/one/{path}": data for path, data in origin.items()}, hours=30
        )
    )
    work.configure('[[rules]]\nname = "no-forks"\ndrop = "repository_kind = \'fork\' AND fork_share >= 0.9"\n')
    work.build()
    return work, alone


def rows(work):
    (path,) = tables.relations(work.root)
    found = pq.read_table(path)
    assert found.schema.remove_metadata() == tables.RELATIONS
    return [tuple(row.values()) for row in found.to_pylist()]


def test_build_tells_relations(built):
    work, alone = built
    assert alone == [("fork", "", "fork", "one", "", 12 / 13, 12)]
    assert rows(work) == [
        *alone,
        ("mirror", "", "mirror", "one", "", 1.0, 12),
        ("user", "deps/one", "vendored", "one", "", 1.0, 12),
    ]
    assert work.facts("listing")["copies"] == {"fork": 1, "mirror": 1, "vendored": 1}


def test_rules_ask_the_repository(built):
    work, _ = built
    kinds = {
        row["repo_name"]: (row["repository_kind"], row["fork_share"])
        for row in pq.read_table(tables.repositories(work.root)[0]).to_pylist()
    }
    assert kinds == {"one": (None, None), "fork": ("fork", 12 / 13), "mirror": ("mirror", 1.0), "user": (None, None)}
    dropped = {repo for (repo, _), row in work.ledger().items() if row["rule"] == "no-forks"}
    assert dropped == {"fork"}
    row = work.row("fork", "src/new.py")
    assert (row["value"], row["limit"]) == ("fork", "repository_kind = 'fork'")


def test_later_listing_is_the_same_as_one_from_scratch(built, tmp_path):
    work, _ = built
    again = Workspace(tmp_path / "again", *(work.root.parent / "s" / one for one in ("one", "fork", "mirror", "user")))
    again.build("list")
    for name in ("relations", "repositories"):
        before, after = (pq.read_table(tables.output(one.root, "listing", name)[0]) for one in (work, again))
        assert before == after


def test_lines_for_people(built):
    work, _ = built

    def said(repo):
        with engine(work.root, load_settings(work.root).engine) as one:
            found = relations.of_repository(work.root, one, repo)
            json.dumps(found)
            return relations.lines(found)

    assert said("fork") == ["fork of one  (92 % of its contents stand there, 12 files)"]
    assert said("mirror") == ["mirror of one  (the same contents, 12 files)"]
    assert said("user") == ["deps/one/ is a copy of one  (100 % of its contents stand there, 12 files)"]
    assert said("one") == ["forked by fork", "mirrored by mirror", "copied into user"]
    assert said("nobody") == []


def test_listing_of_an_older_version_has_no_relations(tmp_path):
    with atomic.publish(
        tmp_path / "listing", kind="list", version=3, fingerprint="", inputs={}, settings={}, replace=True
    ) as draft:
        draft.write("repositories.parquet", b"")
    assert tables.relations(tmp_path) == tables.RELATIONS.empty_table()

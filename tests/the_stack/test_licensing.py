"""Licence verdicts and their evidence: not laundered, not lost, and a conflict is never permissive.

Hours are since the start of time of tests/sources/conftest.py: a later repository has later commits.
"""

from datetime import UTC, datetime

import pytest

from the_stack.building import GPL_NOTICE, MIT, code, gpl

LATER = 10_000  # hours


def licence(row):
    return row["license_type"], row["detected_licenses"], row["license_evidence"], row["license_source"]


NONE = ("no_license", [], "none", None)


@pytest.fixture
def gpl_then_mit(repository, workspace):
    """(a) A GPL repository, and a later clone of its files that calls itself MIT."""
    files = {"src/a.py": code("a"), "src/b.py": code("b")}
    return workspace(
        repository("original", {"COPYING": gpl(), **files}),
        repository("clone", {"LICENSE": MIT, **files, "src/own.py": code("own")}, hours=LATER),
    )


def test_a_gpl_repository_and_its_later_mit_clone(gpl_then_mit):
    rows = gpl_then_mit.ledger()
    for path in ("src/a.py", "src/b.py"):
        here = ("non_permissive", ["GPL-3.0-only"])
        assert licence(rows["original", path]) == (*here, "path", "original:COPYING")
        assert licence(rows["clone", path]) == (*here, "origin", "original:COPYING")
        assert {rows[one, path]["rule"] for one in ("original", "clone")} == {"license"}
    own = rows["clone", "src/own.py"]  # what the clone adds is its own to license
    assert licence(own) == ("permissive", ["MIT"], "path", "clone:LICENSE")
    assert own["verdict"] == "kept"
    assert "src/a.py" not in {row["path"] for row in gpl_then_mit.dataset()}


def test_the_order_of_sources_and_the_names_do_not_matter(repository, workspace):
    """The same with a clone that comes first, by name and in starloom.toml."""
    files = {"a.py": code("a")}
    clone = repository("a-clone", {"LICENSE": MIT, **files}, hours=LATER)
    rows = workspace(clone, repository("original", {"COPYING": gpl(), **files})).ledger()
    assert licence(rows["a-clone", "a.py"]) == ("non_permissive", ["GPL-3.0-only"], "origin", "original:COPYING")


def test_a_rewritten_clone_keeps_the_date_of_its_content(repository, workspace):
    """The clone's first commit is older, but the file came into it later."""
    files = {"a.py": code("a")}
    clone = repository("clone", {"LICENSE": MIT}, files)
    # one commit an hour: the file is in `original` at hour 0 and in `clone` at hour 1
    rows = workspace(clone, repository("original", {"COPYING": gpl(), **files})).ledger()
    assert licence(rows["clone", "a.py"])[2:] == ("origin", "original:COPYING")


def test_b_mit_repository_with_one_file_under_a_gnu_notice(repository, workspace):
    made = workspace(
        repository(
            "mixed", {"LICENSE": MIT, "gnu.py": GPL_NOTICE + code("gnu"), "own.py": code("own"), "x/y.py": code("y")}
        )
    )
    rows = made.ledger()
    assert licence(rows["mixed", "gnu.py"]) == ("non_permissive", ["GPL-3.0-or-later"], "notice", "mixed:gnu.py:2-4")
    assert rows["mixed", "gnu.py"]["rule"] == "license"
    for path in ("own.py", "x/y.py"):
        assert licence(rows["mixed", path]) == ("permissive", ["MIT"], "path", "mixed:LICENSE")
        assert rows["mixed", path]["verdict"] == "kept"


@pytest.mark.parametrize("place", ["src/lib.py", "vendor/lib/lib.py", "third_party/lib.py"])
@pytest.mark.parametrize("later", [True, False], ids=["later", "earlier in the copy"])
def test_c_mit_code_copied_into_a_gpl_project_stays_permissive(repository, workspace, place, later):
    """By its date, or because a vendored copy is no origin, even where its date is the earlier one."""
    data = code("lib")
    library = repository("library", {"LICENSE": MIT, "lib.py": data}, hours=0 if later else LATER)
    project = {"COPYING": gpl(), place: data, "src/own.py": code("own")}
    rows = workspace(library, repository("project", project, hours=LATER if later else 0)).ledger()
    copied = rows["project", place]
    if place.startswith("src") and not later:  # the project had it first: its licence goes with it
        assert licence(copied) == ("non_permissive", ["GPL-3.0-only"], "path", "project:COPYING")
        assert licence(rows["library", "lib.py"])[2:] == ("origin", "project:COPYING")
    else:
        assert licence(copied) == ("permissive", ["MIT"], "origin", "library:LICENSE")
        assert licence(rows["library", "lib.py"]) == ("permissive", ["MIT"], "path", "library:LICENSE")
        assert copied["rule"] == "exact-duplicate"
        assert (copied["twin_repo_name"], copied["twin_path"]) == ("library", "lib.py")
    own = rows["project", "src/own.py"]
    assert licence(own) == ("non_permissive", ["GPL-3.0-only"], "path", "project:COPYING")
    assert own["rule"] == "license"


def test_d_two_plain_folders_that_disagree(folder, workspace):
    data = code("x")
    made = workspace(folder("one", {"LICENSE": MIT, "x.py": data}), folder("two", {"COPYING": gpl(), "x.py": data}))
    rows = made.ledger()
    for name, source in (("one", "one:LICENSE"), ("two", "two:COPYING")):
        row = rows[name, "x.py"]
        assert (row["license_type"], row["license_evidence"], row["rule"]) == ("non_permissive", "conflict", "license")
        assert row["license_source"] == source


def test_d_a_folder_without_history_may_be_older_than_any_repository(folder, repository, workspace):
    data = code("x")
    made = workspace(
        repository("dated", {"LICENSE": MIT, "x.py": data}), folder("undated", {"COPYING": gpl(), "x.py": data})
    )
    assert {row["license_evidence"] for key, row in made.ledger().items() if key[1] == "x.py"} == {"conflict"}


def test_d_folders_that_agree_are_no_conflict(folder, workspace):
    data = code("x")
    made = workspace(folder("one", {"LICENSE": MIT, "x.py": data}), folder("two", {"LICENSE.txt": MIT, "x.py": data}))
    rows = made.ledger()
    assert licence(rows["one", "x.py"]) == ("permissive", ["MIT"], "path", "one:LICENSE")
    assert licence(rows["two", "x.py"]) == ("permissive", ["MIT"], "path", "two:LICENSE.txt")


def test_d_no_licence_against_a_licence(folder, workspace):
    """Nobody licensed the one copy; which is the origin cannot be told: not permissive, nor is it `no_license`."""
    data = code("x")
    rows = workspace(folder("one", {"LICENSE": MIT, "x.py": data}), folder("two", {"x.py": data})).ledger()
    assert rows["one", "x.py"]["license_evidence"] == "conflict"
    assert rows["two", "x.py"]["license_type"] == "non_permissive"


def test_d_same_commit_time_is_a_conflict(repository, workspace):
    data = code("x")
    made = workspace(
        repository("one", {"LICENSE": MIT, "x.py": data}), repository("two", {"COPYING": gpl(), "x.py": data})
    )
    assert {row["license_evidence"] for key, row in made.ledger().items() if key[1] == "x.py"} == {"conflict"}


def test_d_a_notice_settles_a_conflict(folder, workspace):
    data = b"# SPDX-License-Identifier: BSD-2-Clause\n" + code("x")
    rows = workspace(
        folder("one", {"LICENSE": MIT, "x.py": data}), folder("two", {"COPYING": gpl(), "x.py": data})
    ).ledger()
    for name in ("one", "two"):
        assert licence(rows[name, "x.py"]) == ("permissive", ["BSD-2-Clause"], "notice", f"{name}:x.py:1")


def test_e_licences_of_nested_folders_add_up(repository, workspace):
    files = {
        "LICENSE": MIT,
        "top.py": code("top"),
        "lib/gnu/COPYING": gpl(),
        "lib/gnu/deep/er/x.py": code("deeper"),
        "lib/gnu.py": code("beside"),
        "lib/gnuish/x.py": code("gnuish"),
    }
    rows = workspace(repository("nested", files)).ledger()
    inside = licence(rows["nested", "lib/gnu/deep/er/x.py"])
    assert inside == ("non_permissive", ["GPL-3.0-only", "MIT"], "path", "nested:lib/gnu/COPYING")
    for path in ("top.py", "lib/gnu.py", "lib/gnuish/x.py"):
        assert licence(rows["nested", path]) == ("permissive", ["MIT"], "path", "nested:LICENSE"), path


def test_e_a_licence_below_speaks_for_its_folder_only(repository, workspace):
    rows = workspace(repository("part", {"lib/LICENSE": MIT, "lib/x.py": code("x"), "y.py": code("y")})).ledger()
    assert licence(rows["part", "lib/x.py"]) == ("permissive", ["MIT"], "path", "part:lib/LICENSE")
    assert licence(rows["part", "y.py"]) == NONE


def test_f_owned_code_is_never_dropped_for_its_licence(repository, folder, workspace):
    data = code("shared")
    made = workspace(
        (repository("ours", {"COPYING": gpl(), "a.py": code("a"), "b.py": GPL_NOTICE + code("b")}), "owned"),
        (folder("mixed", {"COPYING": gpl(), "shared.py": data}), "owned"),
        folder("strangers", {"LICENSE": MIT, "shared.py": data, "free.py": code("free")}),
        recipe="own-code",
    )
    rows = made.ledger()
    for path in ("a.py", "b.py"):
        assert (rows["ours", path]["verdict"], rows["ours", path]["license_type"]) == ("kept", "non_permissive")
    assert (rows["mixed", "shared.py"]["verdict"], rows["mixed", "shared.py"]["license_evidence"]) == (
        "kept",
        "conflict",
    )
    assert rows["strangers", "shared.py"]["rule"] == "license"
    assert made.facts("dataset")["publishable"] is False
    assert {row["rights"] for row in made.dataset()} == {"owned", "public"}


def test_f_public_code_alone_is_publishable(repository, workspace):
    made = workspace(repository("a", {"LICENSE": MIT, "a.py": code("a")}), recipe="own-code")
    assert made.facts("dataset")["publishable"] is True


def test_f_a_change_of_rights_is_seen(repository, workspace):
    made = workspace((repository("ours", {"COPYING": gpl(), "a.py": code("a")}), "owned"))
    assert made.row("ours", "a.py")["verdict"] == "kept"
    made.replace('rights = "owned"', 'rights = "public"')
    assert made.build().row("ours", "a.py")["rule"] == "license"
    assert made.facts("dataset")["publishable"] is True


def test_g_a_licence_in_a_plain_folder(folder, workspace):
    rows = workspace(folder("plain", {"LICENSE": MIT, "a.py": code("a")})).ledger()
    assert licence(rows["plain", "a.py"]) == ("permissive", ["MIT"], "path", "plain:LICENSE")


def test_g_a_licence_that_came_later_speaks_for_the_main_revision(repository, workspace):
    rows = workspace(repository("a", {"a.py": code("a")}, {"LICENSE": MIT}, {"b.py": code("b")})).ledger()
    assert licence(rows["a", "a.py"]) == ("permissive", ["MIT"], "path", "a:LICENSE")


def test_g_a_licence_that_was_removed_is_gone(repository, workspace):
    rows = workspace(repository("a", {"LICENSE": MIT, "a.py": code("a")}, {"LICENSE": None})).ledger()
    assert licence(rows["a", "a.py"]) == NONE


def test_g_a_text_that_is_nearly_a_licence_is_an_unknown_one(repository, workspace):
    changed = MIT.replace(b"without restriction", b"without much restriction")
    row = workspace(repository("a", {"LICENSE": changed, "a.py": code("a")})).row("a", "a.py")
    assert (row["license_type"], row["license_evidence"], row["license_source"]) == (
        "non_permissive",
        "path",
        "a:LICENSE",
    )


def test_g_a_readme_that_states_no_licence_is_none(repository, workspace):
    made = workspace(repository("a", {"README.md": b"# A\n\nThe licence is a matter of taste.\n", "a.py": code("a")}))
    assert licence(made.row("a", "a.py")) == NONE


def test_g_a_licence_under_another_name_is_not_looked_at(repository, workspace):
    rows = workspace(repository("a", {"terms.txt": MIT, "a.py": code("a")})).ledger()
    assert licence(rows["a", "a.py"]) == NONE


def test_g_the_same_licence_text_everywhere_is_one_file_of_the_dataset(repository, workspace):
    made = workspace(repository("a", {"LICENSE": MIT, "x/LICENSE": MIT, "x/a.py": code("a")}))
    assert licence(made.row("a", "x/a.py")) == ("permissive", ["MIT"], "path", "a:x/LICENSE")  # the nearest is named


def test_g_first_seen_is_the_earliest_commit(repository, workspace):
    made = workspace(repository("a", {"a.py": code("a")}, {"b.py": code("b")}, {"b.py": code("b2")}))
    seen = {row["path"]: row["first_seen"] for row in made.listing()}
    assert seen["a.py"] == datetime.fromtimestamp(1_500_000_000, UTC)
    assert seen["b.py"] == datetime.fromtimestamp(1_500_000_000 + 2 * 3600, UTC)

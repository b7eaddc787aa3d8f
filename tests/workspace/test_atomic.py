"""Publication: complete or not there, whatever fails, and whoever else writes."""

import errno
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from faults import leftovers, open_descriptors, visible, wait_for
from starloom.errors import UserError
from starloom.workspace import operations
from starloom.workspace.atomic import aside_name, publish, recover, remove_folder, replace_file
from starloom.workspace.manifest import NAME, from_bytes, open_folder, read_manifest, verify

SCHEMA = pa.schema([("id", pa.int64())])


def make(target, value=1, replace=False, facts=None):
    with publish(
        target, kind="test", version=1, fingerprint=f"{value:032x}", inputs={}, settings={}, replace=replace
    ) as draft:
        draft.write("note.txt", b"note %d\n" % value)
        draft.parquet("sub/rows.parquet", SCHEMA, [pa.table({"id": [value, 2]}, SCHEMA)])
        draft.facts.update(facts or {})
    return draft


def make_small(target, value=1, replace=True):
    with publish(
        target, kind="test", version=1, fingerprint=f"{value:032x}", inputs={}, settings={}, replace=replace
    ) as draft:
        draft.write("note.txt", b"note %d\n" % value)


@pytest.fixture(params=["renameat2", "plain rename"])
def any_rename(request, monkeypatch):
    """The file system swaps and refuses to replace, or it cannot (some network shares)."""
    if request.param == "plain rename":

        def unsupported(old, new, flags):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(new))

        monkeypatch.setattr(operations, "_renameat2", unsupported)
    return request.param


# What is published, and in which order it reaches the disk


def test_publish(tmp_path):
    draft = make(tmp_path / "a" / "out", facts={"seen": 3})
    manifest = read_manifest(tmp_path / "a" / "out")
    assert draft.manifest == manifest
    assert (manifest.kind, manifest.version, manifest.fingerprint) == ("test", 1, f"{1:032x}")
    assert manifest.facts == {"seen": 3}
    assert [(file.name, file.rows) for file in manifest.files] == [("note.txt", None), ("sub/rows.parquet", 2)]
    assert manifest.rows == 2
    assert manifest.bytes == sum(file.bytes for file in manifest.files)
    assert verify(tmp_path / "a" / "out") == []
    assert leftovers(tmp_path) == []


def test_everything_is_on_disk_before_the_name_appears(faults):
    assert faults.operations(lambda root: make(root / "out"), faults.folder()) == [
        ("mkdir", ".out.*.aside"),
        ("open", ".out.*.aside/note.txt"),
        ("write", ".out.*.aside/note.txt"),
        ("fsync", ".out.*.aside/note.txt"),
        ("mkdir", ".out.*.aside/sub"),
        ("open", ".out.*.aside/sub/rows.parquet"),
        ("write", ".out.*.aside/sub/rows.parquet"),
        ("fsync", ".out.*.aside/sub/rows.parquet"),
        ("fsync-dir", ".out.*.aside/sub"),
        ("open", ".out.*.aside/manifest.json"),  # the manifest last
        ("write", ".out.*.aside/manifest.json"),
        ("fsync", ".out.*.aside/manifest.json"),
        ("fsync-dir", ".out.*.aside"),
        ("rename", "out"),
        ("fsync-dir", "."),
    ]


def test_the_old_version_goes_after_the_new_one_is_durable(faults):
    root = faults.folder()
    make_small(root / "out", 1)
    seen = faults.operations(lambda root: make_small(root / "out", 2), root)
    assert seen[-7:] == [
        ("fsync-dir", ".out.*.aside"),
        ("rename", "out"),  # refused: it exists
        ("rename", "out"),  # swapped
        ("fsync-dir", "."),
        ("unlink", ".out.*.aside/manifest.json"),
        ("unlink", ".out.*.aside/note.txt"),
        ("rmdir", ".out.*.aside"),
    ]


def test_new_folders_above_are_durable(faults):
    seen = faults.operations(lambda root: make_small(root / "a" / "b" / "out"), faults.folder())
    assert seen[:4] == [("mkdir", "a"), ("fsync-dir", "."), ("mkdir", "a/b"), ("fsync-dir", "a")]


def test_replace_file_is_durable(faults):
    assert faults.operations(lambda root: replace_file(root / "x", b"1"), faults.folder()) == [
        ("open", ".x.*.aside"),
        ("write", ".x.*.aside"),
        ("fsync", ".x.*.aside"),
        ("rename", "x"),
        ("fsync-dir", "."),
    ]


def test_an_adopted_file_is_durable(faults):
    def run(root):
        with publish(
            root / "out", kind="test", version=1, fingerprint="f", inputs={}, settings={}, replace=False
        ) as draft:
            (draft.worker_folder() / "x").write_bytes(b"x")
            draft.adopt(draft.folder / ".worker-0" / "x", "x", 1)

    assert faults.operations(run, faults.folder())[1:5] == [
        ("mkdir", ".out.*.aside/.worker-0"),
        ("fsync", ".out.*.aside/.worker-0/x"),
        ("rename", ".out.*.aside/x"),
        ("rmdir", ".out.*.aside/.worker-0"),
    ]


def test_same_input_same_bytes(faults):
    one, two = faults.folder(), faults.folder()
    make(one / "out")
    old = os.umask(0o077)
    try:
        make(two / "out")
    finally:
        os.umask(old)
    assert faults.tree_bytes(one) == faults.tree_bytes(two)


# Faults at every operation


def test_new_folder_under_faults(faults, any_rename):
    cases = faults.enumerate_faults(lambda root: make(root / "a" / "out"))
    assert cases["kill"] == cases["EIO"] == 17
    assert cases["torn"] == 3


def test_replaced_folder_under_faults(faults):
    faults.enumerate_faults(
        lambda root: make(root / "out", 2, replace=True), prepare=lambda root: make_small(root / "out", 1)
    )


def test_replaced_folder_in_two_steps_under_faults(faults, monkeypatch):
    """Where the file system cannot swap there is a moment without a version: then the old one waits for `recover`."""

    def unsupported(old, new, flags):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(new))

    monkeypatch.setattr(operations, "_renameat2", unsupported)

    def check(root):
        if (root / "out").exists():
            assert verify(root / "out") == []
            assert read_manifest(root / "out").fingerprint in (f"{1:032x}", f"{2:032x}")
        else:
            assert [name for name in leftovers(root) if name.endswith(".old")]

    faults.enumerate_faults(
        lambda root: make_small(root / "out", 2), check, prepare=lambda root: make_small(root / "out", 1)
    )


def test_equal_folder_under_faults(faults, any_rename):
    faults.enumerate_faults(
        lambda root: make_small(root / "out", replace=False), prepare=lambda root: make_small(root / "out")
    )


def test_empty_folder_in_the_way_under_faults(faults, any_rename):
    faults.enumerate_faults(
        lambda root: make_small(root / "out", replace=False), prepare=lambda root: (root / "out").mkdir()
    )


def test_replaced_file_under_faults(faults):
    def run(root):
        replace_file(root / "x", b"new" * 100)

    faults.enumerate_faults(run)
    faults.enumerate_faults(run, prepare=lambda root: (root / "x").write_bytes(b"old"))


def test_removed_folder_under_faults(faults):
    faults.enumerate_faults(lambda root: remove_folder(root / "out"), prepare=lambda root: make(root / "out"))


def test_workers_files_under_faults(faults):
    def run(root):
        with publish(
            root / "out", kind="test", version=1, fingerprint="f", inputs={}, settings={}, replace=False
        ) as draft:
            for number in range(2):
                folder = draft.worker_folder()
                (folder / "made.bin").write_bytes(b"%d" % number)
                (folder / "scrap").write_bytes(b"scrap")
                draft.adopt(folder / "made.bin", f"sub/{number}.bin", number)

    faults.enumerate_faults(run)


def test_recover_under_faults(faults):
    """Recovery that is interrupted is recovered in its turn."""

    def prepare(root):
        make_small(root / "a" / "kept")
        make_small(root / "a" / "old")
        (root / "a" / "old").rename(aside_name(root / "a" / "old", "old"))
        aside = aside_name(root / "a" / "new")
        (aside / "deep" / "er").mkdir(parents=True)
        (aside / "deep" / "er" / "x").write_bytes(b"half a fi")
        aside_name(root / "a" / "file").write_bytes(b"half")

    cases = faults.enumerate_faults(recover, prepare=prepare, kinds=("EIO", "EIO for good", "kill", "halt"))
    assert cases["halt"] == cases["kill"] == 7  # rename, fsync of the folder, four to remove the draft, one the file


def test_halt_is_kill_without_a_fork(faults):
    faults.enumerate_faults(lambda root: make_small(root / "out"), kinds=("halt",))


# The kit itself can fail


def test_the_kit_sees_a_publication_in_place(faults):
    def careless(root):
        (root / "out").mkdir(exist_ok=True)
        for name in ("a", "b"):
            with operations.explained(root):
                (root / "out" / name).unlink(missing_ok=True)
                operations.write_new(root / "out" / name, b"x")

    with pytest.raises(AssertionError, match="neither what was there before"):
        faults.enumerate_faults(careless)


def test_the_kit_sees_a_fault_that_never_fires(faults):
    lengths = iter([2] * 3 + [0] * 1000)  # the disturbed runs do nothing

    def run(root):
        for name in "ab"[: next(lengths)]:
            operations.make_folder(root / name) if not (root / name).exists() else operations.sync_folder(root / name)

    for kind in ("EIO", "kill"):
        lengths = iter([2] * 2 + [0] * 1000)
        with pytest.raises(AssertionError, match="never fired"):
            faults.enumerate_faults(run, lambda root: None, kinds=(kind,))


def test_the_kit_sees_a_swallowed_fault(faults):
    def deaf(root):
        operations.discard(root / "absent")  # swallows OSError
        try:
            operations.write_new(aside_name(root / "x"), b"1")
        except OSError:
            return
        replace_file(root / "x", b"1")
        recover(root)

    with pytest.raises(AssertionError, match="success, but not the complete result"):
        faults.enumerate_faults(deaf, kinds=("ENOSPC",))


# What publish refuses


def interrupted(draft, problem):
    draft.write("a", b"1")
    draft.worker_folder()
    raise problem


def test_an_exception_leaves_no_trace(tmp_path):
    for problem in (RuntimeError, KeyboardInterrupt):
        with (
            pytest.raises(problem),
            publish(
                tmp_path / "out", kind="test", version=1, fingerprint="f", inputs={}, settings={}, replace=False
            ) as draft,
        ):
            interrupted(draft, problem)
    assert list(tmp_path.iterdir()) == []


def strange_file(target):
    target.write_bytes(b"mine")


def strange_link(target):
    (target.parent / "elsewhere").mkdir()
    target.symlink_to("elsewhere")


def strange_dangling_link(target):
    target.symlink_to("nowhere")


def strange_folder(target):
    target.mkdir()
    (target / "thesis.tex").write_bytes(b"mine")


@pytest.mark.parametrize("lay", [strange_file, strange_link, strange_dangling_link, strange_folder])
@pytest.mark.parametrize("replace", [False, True])
def test_strangers_are_refused(tmp_path, any_rename, lay, replace):
    lay(tmp_path / "out")
    before = visible(tmp_path)
    with pytest.raises(UserError, match=r"is no folder|not Starloom's") as problem:
        make_small(tmp_path / "out", replace=replace)
    assert str(tmp_path / "out") in problem.value.problem
    assert problem.value.hint
    assert visible(tmp_path) == before
    assert leftovers(tmp_path) == []


def meanwhile(draft, lay):
    draft.write("a", b"1")
    lay(draft.folder.parent / "out")
    return visible(draft.folder.parent)


@pytest.mark.parametrize("lay", [strange_file, strange_link, strange_folder])
def test_a_stranger_that_came_meanwhile_is_refused(tmp_path, any_rename, lay):
    with (
        pytest.raises(UserError, match=r"is no folder|not Starloom's"),
        publish(
            tmp_path / "out", kind="test", version=1, fingerprint="f", inputs={}, settings={}, replace=True
        ) as draft,
    ):
        before = meanwhile(draft, lay)
    assert visible(tmp_path) == before
    assert leftovers(tmp_path) == []


def test_strangers_are_refused_before_the_work_begins(tmp_path):
    strange_folder(tmp_path / "out")
    begun = []
    with (
        pytest.raises(UserError, match="not Starloom's"),
        publish(
            tmp_path / "out", kind="test", version=1, fingerprint="f", inputs={}, settings={}, replace=True
        ) as draft,
    ):
        begun.append(draft)
    assert not begun


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_that_was_empty_a_moment_ago(tmp_path, monkeypatch, replace):
    """Another writer comes between our look at an empty folder and our rename."""
    make_small(tmp_path / "other", 2)
    (tmp_path / "out").mkdir()
    real = operations.rename

    def rename(old, new):
        if (tmp_path / "other").exists():
            real(tmp_path / "other", new)
        real(old, new)

    monkeypatch.setattr(operations, "rename", rename)
    if replace:
        make_small(tmp_path / "out", 1)
    else:
        with pytest.raises(UserError, match="exists already and differs"):
            make_small(tmp_path / "out", 1, replace=False)
    assert read_manifest(tmp_path / "out").fingerprint == f"{1 if replace else 2:032x}"
    assert verify(tmp_path / "out") == []
    assert leftovers(tmp_path) == []


def test_an_equal_folder_is_success(tmp_path, any_rename):
    make(tmp_path / "out")
    there = (tmp_path / "out").stat().st_ino
    draft = make(tmp_path / "out")
    assert draft.manifest == read_manifest(tmp_path / "out")
    assert (tmp_path / "out").stat().st_ino == there  # left as it was
    assert leftovers(tmp_path) == []


def test_a_different_folder_is_an_error(tmp_path, any_rename):
    make(tmp_path / "out", 1)
    before = visible(tmp_path)
    with pytest.raises(UserError, match="exists already and differs") as problem:
        make(tmp_path / "out", 2)
    assert problem.value.hint
    assert visible(tmp_path) == before
    assert leftovers(tmp_path) == []


def test_equal_by_name_but_torn_is_an_error(tmp_path):
    make(tmp_path / "out")
    with (tmp_path / "out" / "note.txt").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match=r"note\.txt has 11 bytes, its manifest says 7"):
        make(tmp_path / "out")
    assert leftovers(tmp_path) == []


def test_replace(tmp_path, any_rename):
    make(tmp_path / "out", 1)
    make_small(tmp_path / "out", 2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [NAME, "note.txt"]
    assert (tmp_path / "out" / "note.txt").read_bytes() == b"note 2\n"
    assert leftovers(tmp_path) == []


def test_replace_mends_a_damaged_folder(tmp_path):
    make_small(tmp_path / "out")
    (tmp_path / "out" / NAME).write_bytes(b"{")
    make_small(tmp_path / "out")
    assert verify(tmp_path / "out") == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x",
        "/x",
        "a/../x",
        "a/b/c",
        ".hidden",
        "a/.hidden",
        "-rf",
        "~",
        "a\\b",
        "a\nb",
        "x" * 201,
        NAME,
        "s/" + NAME,
    ],
)
def test_unsafe_names(tmp_path, name):
    with (
        pytest.raises(ValueError, match="no name for a published file"),
        publish(
            tmp_path / "out", kind="test", version=1, fingerprint="f", inputs={}, settings={}, replace=False
        ) as draft,
    ):
        draft.write(name, b"")
    assert list(tmp_path.iterdir()) == []


def past_the_draft(draft):
    (draft.folder / "smuggled").write_bytes(b"x")


def past_the_draft_by_a_link(draft):
    (draft.folder / "link").symlink_to("/etc")


def lost(draft):
    draft.write("a", b"1")
    (draft.folder / "a").unlink()


def twice(draft):
    draft.write("a", b"1")
    draft.write("a", b"1")


def half_written(draft):
    try:
        with draft.create("a") as output:
            output.write(b"x")
            raise RuntimeError
    except RuntimeError:
        pass


def adopted_link(draft):
    folder = draft.worker_folder()
    (folder / "x").symlink_to("/etc/passwd")
    draft.adopt(folder / "x", "x", None)


def adopted_folder(draft):
    draft.adopt(draft.worker_folder(), "x", None)


def no_json(draft):
    draft.facts["when"] = {1: 2}


@pytest.mark.parametrize(
    ("mistake", "kind", "words"),
    [
        (past_the_draft, ValueError, "written past the draft, or gone from it: smuggled"),
        (past_the_draft_by_a_link, ValueError, "link"),
        (lost, ValueError, "written past the draft, or gone from it: a"),
        (twice, ValueError, "a is written twice"),
        (half_written, ValueError, "written past the draft, or gone from it: a"),
        (adopted_link, ValueError, "no regular file"),
        (adopted_folder, ValueError, "no regular file"),
        (no_json, TypeError, "keys of JSON objects"),
    ],
)
def test_mistakes_of_our_own(tmp_path, mistake, kind, words):
    with (
        pytest.raises(kind, match=words),
        publish(
            tmp_path / "out", kind="test", version=1, fingerprint="f", inputs={}, settings={}, replace=False
        ) as draft,
    ):
        mistake(draft)
    assert list(tmp_path.iterdir()) == []


def test_descriptors_are_closed(tmp_path, faults):
    before = open_descriptors()
    make(tmp_path / "out")
    for number in range(12):
        with faults.injected(faults.Fault("EIO", number)), pytest.raises(UserError):
            make(tmp_path / "new", replace=True)
    assert open_descriptors() == before


# Messages


@pytest.mark.parametrize(
    ("kind", "cause", "remedy"),
    [
        ("ENOSPC", "No space left on device", r"free some space .* \([\d,.]+ MB and [\d,]+ files free there now\)"),
        ("EDQUOT", "Disk quota exceeded", "quota"),
        ("EIO", "Input/output error", "dmesg"),
        ("EROFS", "Read-only file system", "mount it for writing"),
        ("EACCES", "Permission denied", "make the folder writable"),
        ("EMFILE", "Too many open files", "ulimit -n"),
        ("EFBIG", "File too large", "ulimit -f"),
    ],
)
@pytest.mark.parametrize("run", [make_small, lambda path: replace_file(path, b"x")])
def test_what_a_user_can_mend_is_said(tmp_path, faults, kind, cause, remedy, run):
    with faults.injected(faults.Fault(kind, 1)), pytest.raises(UserError) as problem:
        run(tmp_path / "out")
    assert problem.value.problem.startswith(f"cannot write {tmp_path / 'out'}: {cause} ({tmp_path}/.out.")
    assert re.search(remedy, problem.value.hint)
    assert problem.value.hint.endswith("then run the same command: it does what is left")


def test_other_errors_keep_their_traceback(tmp_path, faults):
    with faults.injected(faults.Fault("EBADF", 1)), pytest.raises(OSError, match="Bad file descriptor"):
        make_small(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_swallowed_write_error_comes_back(tmp_path, faults):
    """A writer on top (Arrow) may hide it: then the end of the file raises it, and no write is tried again."""
    output = operations.Output(tmp_path / "x")
    with faults.injected(faults.Fault("ENOSPC", 0)), pytest.raises(OSError, match="No space"):
        output.write(bytes(2 << 20))
    with pytest.raises(OSError, match="No space"):
        output.write(b"more")
    with pytest.raises(OSError, match="No space"):
        output.finish()
    assert (tmp_path / "x").stat().st_size == 0


# A real full disk


FULL = """
import sys
from pathlib import Path
from starloom.errors import UserError
from starloom.workspace.atomic import publish, recover, remove_folder
from starloom.workspace.manifest import verify
root = Path(sys.argv[1])
outcomes = []
for step in range(16, -1, -1):
    filler = root / "filler"
    filler.unlink(missing_ok=True)
    with filler.open("wb") as file:
        try:
            file.write(bytes(step * 4096))
        except OSError:
            pass
    try:
        with publish(
            root / "out", kind="t", version=1, fingerprint="f", inputs={}, settings={}, replace=False
        ) as draft:
            draft.write("a.bin", bytes(range(256)) * 64)
            draft.write("sub/b.bin", bytes(5000))
        outcomes.append("done")
        assert verify(root / "out") == [], verify(root / "out")
        remove_folder(root / "out")
    except UserError as problem:
        assert "No space left on device" in problem.problem and str(root / "out") in problem.problem, problem
        assert "free some space" in problem.hint, problem.hint
        assert not (root / "out").exists()
        outcomes.append("full")
    assert recover(root) == []  # it cleared up after itself
print(" ".join(outcomes))
"""


@pytest.mark.parametrize("limit", ["size=64k", "nr_inodes=5"])
def test_a_disk_that_is_really_full(tmp_path, limit):
    unshare = shutil.which("unshare")
    probe = ["unshare", "-Urm", "mount", "-t", "tmpfs", "-o", limit, "tmpfs", str(tmp_path)]
    if unshare is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here: `unshare -Urm mount -t tmpfs` is refused")
    script = f'mount -t tmpfs -o {limit} tmpfs "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FULL],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = done.stdout.split()
    if limit == "size=64k":
        assert outcomes[0] == "full"
        assert outcomes[-1] == "done"
        assert outcomes == sorted(outcomes, reverse=True)  # once it fits it stays
    else:
        assert set(outcomes) == {"full"}


# Others who write at the same time


def race(faults, runs):
    """Children that start together; returns their exit statuses."""
    folder = faults.folder()
    children = []
    for number, run in enumerate(runs):
        child = os.fork()
        if not child:
            status = 9
            try:
                (folder / f"{number}").touch()
                wait_for((folder / "go").exists)
                run()
                status = 0
            except UserError:
                status = 1
            finally:
                os._exit(status)
        children.append(child)
    wait_for(lambda: len(list(folder.iterdir())) == len(children))
    (folder / "go").touch()
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_race_of_different_writers_has_one_winner(faults, any_rename):
    for _ in range(10):
        root = faults.folder()
        runs = [partial(make_small, root / "out", value, replace=False) for value in range(4)]
        statuses = race(faults, runs)
        assert sorted(statuses) == [0, 1, 1, 1]
        assert read_manifest(root / "out").fingerprint == f"{statuses.index(0):032x}"
        assert verify(root / "out") == []
        assert leftovers(root) == []


def test_race_of_equal_writers_has_only_winners(faults, any_rename):
    for _ in range(10):
        root = faults.folder()
        assert race(faults, [partial(make_small, root / "a" / "out", replace=False)] * 4) == [0] * 4
        assert verify(root / "a" / "out") == []
        assert leftovers(root) == []


def test_race_of_replacers_leaves_one_of_them(faults):
    for _ in range(10):
        root = faults.folder()
        assert race(faults, [partial(make_small, root / "out", value) for value in range(4)]) == [0] * 4
        assert verify(root / "out") == []
        assert leftovers(root) == []


# recover, remove_folder, replace_file


def test_recover(tmp_path):
    make_small(tmp_path / "stage")
    kept = visible(tmp_path)
    draft = aside_name(tmp_path / "stage")
    draft.mkdir()
    (draft / "link").symlink_to(tmp_path / "stage")
    old = aside_name(tmp_path / "stage", "old")  # its successor is there
    old.mkdir()
    deep = tmp_path / "signals" / "licenses"
    deep.mkdir(parents=True)
    file = aside_name(deep / NAME)
    file.write_bytes(b"half")
    assert sorted(recover(tmp_path)) == sorted([draft, old, file])
    assert recover(tmp_path) == []
    deep.rmdir()
    deep.parent.rmdir()
    assert visible(tmp_path) == kept  # the link was removed, not followed


def test_recover_leaves_what_only_looks_alike(tmp_path):
    for name in (".x.aside", ".x.0123456789abcde.aside", "x.0123456789abcdef.aside", ".x.0123456789ABCDEF.old"):
        (tmp_path / name).mkdir()
    (tmp_path / "far").symlink_to(tmp_path)  # links are not walked
    far = tmp_path / "1" / "2" / "3"
    far.mkdir(parents=True)
    aside_name(far / "deeper than two levels").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert recover(tmp_path) == []
    assert sorted(tmp_path.rglob("*")) == before
    assert recover(tmp_path / "absent") == []


def test_remove_folder(tmp_path):
    make(tmp_path / "out")
    remove_folder(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    remove_folder(tmp_path / "out")
    remove_folder(tmp_path / "absent" / "out")


def test_remove_folder_follows_no_link(tmp_path):
    make(tmp_path / "out")
    before = visible(tmp_path)
    (tmp_path / "link").symlink_to("out")
    remove_folder(tmp_path / "link")
    assert visible(tmp_path) == before


def test_replace_file(tmp_path):
    replace_file(tmp_path / "x", b"1")
    replace_file(tmp_path / "x", b"2")
    assert visible(tmp_path) == {"x": b"2"}
    with pytest.raises(OSError, match="No such file"):
        replace_file(tmp_path / "absent" / "x", b"2")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        replace_file(tmp_path / "folder", b"2")
    assert leftovers(tmp_path) == []


def test_relative_targets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_small(Path("out"))
    replace_file(Path("x"), b"")
    assert open_folder(Path("out")) is not None
    remove_folder(Path("out"))
    assert visible(tmp_path) == {"x": b""}


def test_manifest_says_the_bytes_that_are_there(tmp_path):
    make(tmp_path / "out")
    data = (tmp_path / "out" / NAME).read_bytes()
    manifest = from_bytes(data, tmp_path / "out" / NAME)
    for file in manifest.files:
        assert (tmp_path / "out" / file.name).stat().st_size == file.bytes

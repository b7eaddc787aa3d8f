"""What strangers hand us: one clear line or a ledger row each, nothing lost, nothing written outside the workspace."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from the_stack import building
from the_stack.building import ENGINE, MIT, code

SECRET = b"SECRET_OF_ANOTHER_FOLDER = 1\n" + code("secret")


def tree(folder):
    """Everything below `folder`, `.git` included: kind, mode, size, time, bytes."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        status = path.lstat()
        small = path.is_file() and not path.is_symlink() and status.st_size < 1 << 20
        found[str(path)] = (
            status.st_mode,
            status.st_size,
            status.st_mtime_ns if not path.is_dir() else None,
            path.read_bytes() if small else None,
        )
    return found


@pytest.fixture
def workspace(cli, tmp_path):
    """`workspace(source, …)`: a workspace that `starloom init` made; else what it said."""

    def make(*sources, toml=ENGINE):
        arguments = [word for source in sources for word in ("--from", source)]
        done = cli("init", "w", *arguments)
        assert done.returncode == 0, done.stderr
        with (tmp_path / "w" / "starloom.toml").open("a") as file:
            file.write(toml)
        return tmp_path / "w"

    return make


# --- hostile files: one build of all of them ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder and a repository of odd things, and one build of both; (process, ledger, before, after)."""
    base = tmp_path_factory.mktemp("hostile")
    (base / "outside").mkdir()
    (base / "outside" / "secret.py").write_bytes(SECRET)
    odd = {
        "good.py": code("good"),
        b"n\xe4me \xff.py": code("name"),
        b"nam\xc3\xa9.py": code("utf-8 name"),
        "new\nline.py": code("newline"),
        "-rf.py": code("option"),
        "$(touch pwned).py": code("shell"),
        "binary.py": b"x = 1\n\0" + bytes(range(256)),
        "damaged.py": building.DAMAGED,
        "latin.py": "# Straße, größer, Übergang, fünf Äpfel\n".encode("latin-1") + code("latin"),
    }
    plain = building.folder(base / "plain", odd)
    for name, target in (
        ("to-secret.py", base / "outside" / "secret.py"),
        ("to-outside", base / "outside"),
        ("up.py", Path("../outside/secret.py")),
        ("dead.py", Path("nowhere.py")),
        ("loop.py", Path("loop.py")),
    ):
        (plain / name).symlink_to(target)
    os.mkfifo(plain / "pipe.py")
    with (plain / "sparse.py").open("wb") as file:
        file.truncate(2 << 30)
    from sources.conftest import Git

    again = {name: data.replace(b"return", b"yield").replace(b"def ", b"async def ") for name, data in odd.items()}
    repository = building.folder(base / "repository", again | {"LICENSE": MIT})
    (repository / "to-secret.py").symlink_to(base / "outside" / "secret.py")
    git = Git(repository)
    git("init", "-q", "-b", "main")
    git.commit()
    workspace = base / "w"
    done = building.starloom("init", workspace, "--from", plain, "--from", repository)
    assert done.returncode == 0, done.stderr
    with (workspace / "starloom.toml").open("a") as file:
        file.write(ENGINE)
    before = {name: tree(base / name) for name in ("outside", "plain", "repository")}
    started = time.monotonic()
    done = building.starloom("build", "-w", workspace, cwd=base)
    took = time.monotonic() - started
    after = {name: tree(base / name) for name in before}
    made = object.__new__(building.Workspace)
    made.root = workspace
    return done, made, before, after, took


def test_the_build_says_no_traceback(hostile):
    done, _, _, _, took = hostile
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert took < 30  # a gigabyte is not read, a FIFO not waited for


def test_nothing_is_written_outside_the_workspace(hostile):
    _, made, before, after, _ = hostile
    assert after == before
    assert sorted(one.name for one in made.root.parent.iterdir()) == ["outside", "plain", "repository", "w"]


@pytest.mark.parametrize(
    ("repository", "path", "verdict", "rule"),
    [
        ("plain", "sparse.py", "dropped", "too-large"),
        ("plain", "binary.py", "dropped", "binary"),
        ("plain", "damaged.py", "quarantined", "damaged"),
        ("plain", "to-secret.py", "dropped", "not-a-file"),
        ("plain", "to-outside", "dropped", "not-a-file"),
        ("plain", "up.py", "dropped", "not-a-file"),
        ("plain", "dead.py", "dropped", "not-a-file"),
        ("plain", "loop.py", "dropped", "not-a-file"),
        ("plain", "pipe.py", "dropped", "not-a-file"),
        ("repository", "to-secret.py", "dropped", "not-a-file"),
        ("repository", "binary.py", "dropped", "binary"),
    ],
)
def test_what_became_of_it(hostile, repository, path, verdict, rule):
    row = hostile[1].row(repository, path)
    assert (row["verdict"], row["rule"]) == (verdict, rule)
    assert row["value"]


def test_every_name_is_listed_and_told_apart(hostile):
    paths = {path for repository, path in hostile[1].ledger() if repository == "plain"}
    assert len(paths) == 16
    assert {"namé.py", "-rf.py", "$(touch pwned).py", "good.py"} <= paths
    assert all(path.encode() for path in paths)  # text, whatever the bytes were


def test_contents_under_odd_names_are_kept(hostile):
    """A name that is no path of ours (a newline in it) is quarantined; every other one costs nothing."""
    made = hostile[1]
    kept = {row["content"].encode() for row in made.dataset() if row["repo_name"] == "plain"}
    for seed in ("good", "name", "utf-8 name", "option", "shell"):
        assert code(seed) in kept, seed
    assert {code("latin")} <= {data.partition(b"\n")[2] for data in kept}
    newline = [row for (name, path), row in made.ledger().items() if "line.py" in path]
    assert {row["verdict"] for row in newline} <= {"kept", "quarantined"}


def test_the_targets_of_links_appear_nowhere(hostile):
    for path in hostile[1].root.rglob("*"):
        if path.is_file():
            assert b"SECRET_OF_ANOTHER" not in path.read_bytes(), path
    assert all("SECRET" not in row["content"] for row in hostile[1].dataset())


def test_why_on_odd_names(hostile, cli):
    made = hostile[1]
    done = cli("why", "plain", "--limit", "99", cwd=made.root)
    assert done.returncode == 0
    assert "\nline.py" not in done.stdout
    for path in ("$(touch pwned).py", "-rf.py"):
        row = json.loads(cli("why", "--json", "--", path, cwd=made.root).stdout)["files"]
        assert {one["path"] for one in row} == {path}
    done = cli("why", "--json", os.fsdecode(b"n\xe4me \xff.py"), cwd=made.root)  # as a shell gives it
    assert {one["path"] for one in json.loads(done.stdout)["files"]} == {r"n\xe4me \xff.py"}


# --- sources -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere", "nowhere: does not exist"),
        ("fifo", "neither a folder nor a file"),
        ("svn://example.org/x/y", "svn://example.org/x/y"),
        ("https://user:s3cret@host.example/x", "https://host.example/x: it has a user name or password in it"),
        ("pypi:no such", "names no package"),
        ("corpus:none", "none"),
        ("installed:nowhere", "nowhere holds no Python environment"),
        ("installed-things", "installed-things: does not exist"),
        ("", "a source is empty"),
    ],
)
def test_a_source_that_cannot_be(cli, refused, tmp_path, source, words):
    os.mkfifo(tmp_path / "fifo")
    text = refused(cli("init", "w", "--from", source), words)
    assert "s3cret" not in text
    assert not (tmp_path / "w").exists()


def test_a_source_that_is_named_twice(cli, refused, tmp_path):
    building.folder(tmp_path / "s", {"a.py": code("a")})
    refused(
        cli("init", "w", "--from", "s", "--from", "pypi:x", "--from", tmp_path / "s"), f"{tmp_path}/s is named twice"
    )


def test_what_a_list_names_and_is_not_there_is_told_at_once(cli, tmp_path):
    building.folder(tmp_path / "s", {"a.py": code("a")})
    (tmp_path / "list").write_text("s\n" + "".join(f"nowhere{number}\n" for number in range(9)))
    done = cli("init", "w", "--from", "@list")
    assert done.returncode == 0, done.stderr
    assert "list:2: " in done.stderr
    assert "nowhere0: does not exist" in done.stderr
    assert "and 4 more that cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("/proc/starloom", "cannot write /proc/starloom/starloom.toml: Operation not permitted (/proc/starloom)"),
        ("/proc/starloom/below", "Operation not permitted (/proc/starloom)"),
        ("file", "file/starloom.toml: Not a directory"),
        ("file/below", "file/below/starloom.toml: Not a directory"),
        ("/dev/full", "/dev/full/starloom.toml: Not a directory"),
        ("n" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_made(cli, refused, tmp_path, folder, words):
    building.folder(tmp_path / "s", {"a.py": code("a")})
    (tmp_path / "file").touch()
    assert "hint: " in refused(cli("init", folder, "--from", "s"), words)


@pytest.mark.parametrize(
    "arguments", [["status", "-w"], ["verify"], ["detect"], ["corpus", "fetch", "standard", "--dir"]]
)
def test_a_name_that_no_file_can_have(cli, refused, arguments):
    refused(cli(*arguments, "n" * 300), "n" * 300)


def test_nothing_to_verify(cli, refused):
    refused(cli("verify", "nowhere"), "nowhere does not exist")


def test_a_folder_for_packages_that_cannot_be_made(cli, refused):
    refused(cli("corpus", "fetch", "standard", "--dir", "/proc/starloom"), "/proc/starloom: Operation not permitted")


def test_a_source_that_went_away(cli, refused, workspace, tmp_path):
    source = building.folder(tmp_path / "s", {"a.py": code("a")})
    made = workspace(source)
    (source / "a.py").unlink()
    source.rmdir()
    refused(cli("build", cwd=made), "does not exist")


def test_a_folder_that_was_removed_meanwhile(refused, tmp_path):
    script = "import os\nos.rmdir(os.getcwd())\nfrom starloom.commands import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, "status"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    refused(done, "was removed")


def test_init_twice(cli, refused, workspace, tmp_path):
    source = building.folder(tmp_path / "s", {"a.py": code("a")})
    workspace(source)
    refused(cli("init", "w", "--from", source), "exists already")


def test_nothing_is_built_yet(cli, refused, workspace, tmp_path):
    made = workspace(building.folder(tmp_path / "s", {"a.py": code("a")}))
    for command in (["why", "a.py"], ["ledger"], ["report"], ["index"]):
        refused(cli(*command, cwd=made), "is missing", "hint: run `starloom build`, whose stage `")


def test_an_empty_folder(cli, workspace, tmp_path):
    made = workspace(building.folder(tmp_path / "s", {}))
    done = cli("build", cwd=made)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert cli("build", cwd=made).stderr.count("up to date") == 7


def test_nothing_that_can_be_kept(tmp_path):
    for number, files in enumerate([{"x.bin": b"\0"}, {"big.py": b"x" * 2_000_000}, {"README": b""}]):
        made = building.Workspace(tmp_path / f"w{number}", building.folder(tmp_path / f"s{number}", files)).build()
        assert [row["verdict"] for row in made.ledger().values()] == ["dropped"]
        assert made.dataset() == []
        assert made.why(next(iter(files))).total == 1


def test_a_repository_without_commits_costs_only_itself(cli, workspace, tmp_path):
    bare = tmp_path / "many" / "bare"
    bare.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", bare], check=True)
    building.git_repository(tmp_path / "many" / "good", {"LICENSE": MIT, "a.py": code("a")})
    (tmp_path / "many" / "broken" / ".git").mkdir(parents=True)
    (tmp_path / "many" / "broken" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    made = workspace(tmp_path / "many")
    done = cli("build", cwd=made)
    assert done.returncode == 0, done.stderr
    assert "2 kept" in done.stderr
    problems = json.loads(cli("status", "--json", cwd=made).stdout)["problems"]
    assert str(bare) in {one["location"] for one in problems}
    assert all(one["reason"] for one in problems)
    text = cli("status", cwd=made).stdout
    assert str(bare) in text
    done = cli("why", "bare", cwd=made)
    assert done.returncode == 0
    assert "QUARANTINED by rule repository" in done.stdout
    assert "the next `starloom build` tries again" in done.stdout


def test_only_a_repository_without_commits(cli, workspace, tmp_path):
    (tmp_path / "bare").mkdir()
    subprocess.run(["git", "init", "-q", tmp_path / "bare"], check=True)
    made = workspace(tmp_path / "bare")
    done = cli("build", cwd=made)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)
    if done.returncode:
        assert "hint:" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(cli, workspace, tmp_path):
    source = building.folder(tmp_path / "s", {"a.py": code("a"), "closed.py": code("closed")})
    (source / "closed.py").chmod(0)
    made = workspace(source)
    assert cli("build", cwd=made).returncode == 0
    (row,) = json.loads(cli("why", "closed.py", "--json", cwd=made).stdout)["files"]
    assert row["verdict"] == "quarantined"


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[decide]\nnear_duplicate = 0.7\n", ["unknown key `near_duplicate`", "did you mean `near_duplicates`?"]),
        ("[[rules]]\nname = 'x'\ndrop = '1; DROP TABLE t'\n", ["rule `x`", "not one condition"]),
    ],
)
def test_settings(cli, refused, workspace, tmp_path, toml, words):
    """More of them: tests/test_stages.py."""
    made = workspace(building.folder(tmp_path / "s", {"a.py": code("a")}), toml=toml)
    refused(cli("build", cwd=made), *words)
    assert not (made / "listing").exists()


def test_an_unknown_recipe(cli, refused, tmp_path):
    (tmp_path / "s").mkdir()
    text = refused(cli("init", "w", "--from", "s", "--recipe", "smal"), "recipe `smal` is not known")
    assert "did you mean `small`?" in text


# --- the machine -----------------------------------------------------------------------------------------------------


@pytest.fixture
def slow_workspace(workspace, tmp_path):
    """A workspace whose build takes a second or two."""
    source = building.folder(tmp_path / "s", {f"{number}.py": code(number, 60) for number in range(400)})
    return workspace(source)


def start(made):
    """`starloom build` in the background, past its imports: it holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from starloom.commands import main; main()", "build", "-w", made],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONFAULTHANDLER": "1"},  # native code that crashes (seen once) is to say where
    )
    lock = made / ".starloom" / "lock"
    while process.poll() is None and not (lock.exists() and lock.read_text()):
        time.sleep(0.005)
    return process


def test_a_second_builder_is_told_who_builds(cli, refused, slow_workspace):
    first = start(slow_workspace)
    first.send_signal(signal.SIGSTOP)
    try:
        text = refused(cli("build", cwd=slow_workspace), "is in use by `starloom build`", f"pid {first.pid}")
        assert "wait until it has ended" in text
        assert cli("status", cwd=slow_workspace).returncode == 0  # readers do not wait
    finally:
        first.send_signal(signal.SIGCONT)
    assert first.wait() == 0
    first.communicate()


@pytest.mark.parametrize(("workers", "delay"), [(1, 0.2), (2, 0.9)])
def test_interrupted(cli, slow_workspace, delay, workers):
    """Ctrl-C: 130 and a line; the same command goes on."""
    settings = slow_workspace / "starloom.toml"
    settings.write_text(settings.read_text().replace("workers = 1", f"workers = {workers}"))
    process = start(slow_workspace)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert "Traceback" not in text
    if process.returncode == 0:  # about 1 in 100: native code took the exception, and the build went on to its end
        assert "built, " in text
        pytest.skip("the interrupt was swallowed by native code")
    assert process.returncode == 130, text
    assert "interrupted: nothing is half done; the same command does what is left" in text
    done = cli("build", cwd=slow_workspace)
    assert done.returncode == 0, done.stderr
    assert "400 kept" in done.stderr
    left = [path for path in slow_workspace.rglob("*") if re.search(r"\.(aside|old)$", path.name)]
    assert left == []


def test_interrupted_inside_native_code():
    """Python prints and forgets what is raised in a callback of C: Ctrl-C must not be lost there."""
    script = (
        "import ctypes, signal, time\nfrom starloom import commands\n"
        "inside = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))\n"
        "def work(**_):\n    inside()\n    for _ in range(3000):\n        time.sleep(0.01)\n"
        "commands.group.main = work\ncommands.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_interrupted_while_a_module_loads(tmp_path):
    """Native modules abort the process where their start is interrupted: Ctrl-C waits until they have loaded."""
    (tmp_path / "slow_module.py").write_text(
        "import signal, time\nsignal.raise_signal(signal.SIGINT)\ntime.sleep(0.3)\nprint('loaded', flush=True)\n"
    )
    script = (
        "import time\nfrom starloom import commands\n"
        "def work(**_):\n    import slow_module\n    for _ in range(3000):\n        time.sleep(0.01)\n"
        "commands.group.main = work\ncommands.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 130
    assert done.stdout == "loaded\n"
    assert "Traceback" not in done.stderr


def test_output_that_finds_no_room(refused, built):
    """`starloom why … > full-disk`."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from starloom.commands import main; main()", "why", "two"],
            cwd=built.root,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "hint: free some space" in refused(done, "No space left on device")


@pytest.mark.parametrize("path", ["'/closed/a.py'", "None"], ids=["with a path", "without"])
def test_what_may_not_be_read(refused, tmp_path, path):
    script = f"""
from starloom.commands import main, status
def closed(**_):
    raise PermissionError(13, "Permission denied", {path})
status.command.callback = closed
main()
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, "status"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if path == "None":
        assert "PermissionError" in done.stderr.splitlines()[-1]  # a bug, for all that is known: with its traceback
    else:
        assert "hint: see that you may read and write there" in refused(done, "/closed/a.py: Permission denied")


def test_no_room_for_scratch(refused, tmp_path):
    """As on a full disk: no file may be larger than a kilobyte."""
    building.folder(tmp_path / "s", {f"{number}.py": code(number) for number in range(20)})
    script = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}from starloom.commands import main; main()", "detect", "s"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    refused(done, f"cannot write {tmp_path}/starloom-detect-", "File too large")


def test_output_that_nobody_reads(built):
    """`starloom why … | head`."""
    script = f"{sys.executable} -c 'from starloom.commands import main; main()' why two | head -1"
    done = subprocess.run(["bash", "-c", script], cwd=built.root, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.stderr == ""


FULL = """
set -e
mkdir -p disk
mount -t tmpfs -o size={size}k,nr_inodes={inodes} none disk
cp w/starloom.toml disk/ || exit 99
"$@" build -w disk && echo BUILT && exit 0
echo "exit $?"
mount -o remount,size=100m,nr_inodes=10000 none disk
"$@" build -w disk
cp -r disk/ledger disk/dataset out/
"""


def _unshare():
    done = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not Path("/usr/bin/unshare").exists() or not _unshare(), reason="no user namespaces here")
@pytest.mark.parametrize(("size", "inodes"), [(12, 1000), (84, 1000), (10_000, 30)])
def test_a_full_disk(workspace, tmp_path, size, inodes):
    """A message with a remedy, and after room was made the same command ends with the same bytes."""
    source = building.folder(tmp_path / "s", {f"{number}.py": code(number, 20) for number in range(12)})
    made = workspace(source)
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", "from starloom.commands import main; main()"]
    done = subprocess.run(
        ["unshare", "-Urm", "bash", "-c", FULL.format(size=size, inodes=inodes), "full", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "exit 1\n" in done.stdout, "the disk was large enough"
    assert done.stderr.count("error: ") == 1
    assert "No space left on device" in done.stderr
    assert "hint: " in done.stderr
    building.starloom("build", "-w", made)
    for name in ("ledger", "dataset"):
        for path in sorted((made / name).rglob("*")):
            if path.is_file():
                assert (tmp_path / "out" / path.relative_to(made)).read_bytes() == path.read_bytes()

"""One code base by every way: git, Software Heritage's tables and S3, archives, data sets: the same dataset."""

import gzip
import json
import logging
import os
import tarfile
import warnings

import pytest

from sources.conftest import Git
from sources.swh_export import Export
from the_stack import building
from the_stack.building import MIT, Workspace, code, git_repository

# What depends on the way: dates of visits and histories, names of snapshots; everything else must be equal.
OF_THE_WAY = ("snapshot_id", "visit_date", "branch_name", "revision_date", "committer_date")


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    """Two repositories of GitHub: one with what is no file, and a near-copy in the other."""
    base = tmp_path_factory.mktemp("repositories")
    near = code("near", 40)
    one = git_repository(
        base / "one",
        {"LICENSE": MIT, "src/a.py": code(1), "src/near.py": near},
        {"x.bin": b"\0\1", "latin.py": "# é\n".encode("latin-1")},
        {"src/b.py": code(2), "README.md": b"# One\n\nWords about one.\n"},
    )
    (one / "link.py").symlink_to("src/a.py")
    Git(one).commit()
    two = git_repository(base / "two", {"LICENSE": MIT, "near.py": near.replace(b"return", b"yield", 1)}, hours=9)
    for path, name in ((one, "alice/one"), (two, "bob/two")):
        Git(path)("remote", "add", "origin", f"https://github.com/{name}.git")
    return one, two


@pytest.fixture(scope="module")
def expected(repositories, tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("git") / "w", *repositories).build()


def dataset(workspace, without=OF_THE_WAY):
    rows = workspace.dataset()
    for row in rows:
        for name in without:
            del row[name]
    return rows


def verdicts(workspace):
    return {key: (row["verdict"], row["rule"], row["value"]) for key, row in workspace.ledger().items()}


@pytest.fixture
def s3(monkeypatch):
    """A client that may write, of a server on which everybody may read the bucket `softwareheritage`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of boto3's own dependencies
        import boto3
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        server.start()
        host, port = server.get_host_and_port()
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
        client.create_bucket(Bucket="softwareheritage")
        statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"]}
        statement["Resource"] = ["arn:aws:s3:::softwareheritage", "arn:aws:s3:::softwareheritage/*"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client.put_bucket_policy(Bucket="softwareheritage", Policy=policy)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        yield client
        server.stop()


def test_software_heritages_tables_and_s3(repositories, expected, s3, tmp_path):
    export = Export()
    for path, name in zip(repositories, ("alice/one", "bob/two"), strict=True):
        export.git(path, f"https://github.com/{name}")
    base = export.write(tmp_path / "export")
    for path in sorted(base.rglob("*.orc")):
        key = f"graph/2023-09-06/orc/{path.relative_to(base)}"
        s3.put_object(Bucket="softwareheritage", Key=key, Body=path.read_bytes(), ACL="public-read")
    for key, data in export.objects.items():
        s3.put_object(Bucket="softwareheritage", Key=f"content/{key}", Body=gzip.compress(data), ACL="public-read")
    made = Workspace(tmp_path / "w", "swh:s3://softwareheritage/graph/2023-09-06/orc")
    made.replace('rights = "public"', 'rights = "public"\ncontents = "s3://softwareheritage/content"')
    made.build()
    assert [one["reason"] for one in made.problems()] == []
    assert dataset(made) == dataset(expected)
    assert verdicts(made) == verdicts(expected)
    assert {row["branch_name"] for row in made.dataset()} == {"refs/heads/main"}
    assert all(len(row["snapshot_id"]) == 40 and row["visit_date"] for row in made.dataset())
    assert made.build_again() == {}


def test_archives(repositories, expected, tmp_path):
    """A tar of each work tree, with a folder on top as forges make them."""
    for path in repositories:
        files = Git(path)("ls-files", "-z").split("\0")
        with tarfile.open(tmp_path / f"{path.name}-1.0.tar.gz", "w:gz") as tar:
            for name in filter(None, files):
                tar.add(path / name, f"{path.name}-1.0/{name}")
    made = Workspace(tmp_path / "w", *(tmp_path / f"{path.name}-1.0.tar.gz" for path in repositories)).build()
    names = {"alice/one": "one", "bob/two": "two"}
    without = (*OF_THE_WAY, "repo_name", "revision_id", "directory_id", "split")
    assert dataset(made, without) == dataset(expected, without)
    assert verdicts(made).keys() == {(names[repo], path) for repo, path in verdicts(expected)}
    # `two` has the tree that git has; `one` holds a link, whose target no archive's listing hashes.
    two = {row["directory_id"] for row in expected.dataset() if row["repo_name"] == "bob/two"}
    assert {row["directory_id"] for row in made.dataset() if row["repo_name"] == "two"} == two


def test_the_dataset_itself(expected, tmp_path):
    """Curated again, what was kept is kept, with the same ids, by the same repositories."""
    made = Workspace(tmp_path / "w", f"dataset:{expected.root / 'dataset' / 'files'}").build()
    columns = ("repo_name", "path", "content_id", "blob_id", "content", "license_type", "language")
    kept = [{name: row[name] for name in columns} for row in expected.dataset() if row["src_encoding"] == "UTF-8"]
    again = [{name: row[name] for name in columns} for row in made.dataset()]
    assert [row for row in again if row["path"] != "latin.py"] == kept


def test_githubs_events_decide_between_copies(repositories, tmp_path):
    """Stars make the keeper; a name that a repository had before is opted out with it."""
    shared = code("shared", 30)
    ours = git_repository(tmp_path / "a", {"LICENSE": MIT, "x.py": shared})
    theirs = git_repository(tmp_path / "b", {"LICENSE": MIT, "x.py": shared}, hours=5)
    for path, name in ((ours, "alice/first"), (theirs, "bob/starred")):
        Git(path)("remote", "add", "origin", f"https://github.com/{name}.git")
    workspace = Workspace(tmp_path / "w", ours, theirs).build()
    assert workspace.row("alice/first", "x.py")["verdict"] == "kept"
    events = [
        event(1, "WatchEvent", 7, "bob/old-name", {"action": "started"}, "2023-01-01T00:00:01Z"),
        event(2, "WatchEvent", 7, "bob/starred", {"action": "started"}, "2023-01-01T00:00:02Z"),
    ]
    (tmp_path / "hours").mkdir()
    with gzip.open(tmp_path / "hours" / "2023-01-01-0.json.gz", "wt") as file:
        file.writelines(json.dumps(one) + "\n" for one in events)
    workspace.configure(f'[gh_archive]\npath = "{tmp_path / "hours"}"\n')
    workspace.build()
    assert workspace.row("bob/starred", "x.py")["verdict"] == "kept"
    (row,) = [row for row in workspace.dataset() if row["path"] == "x.py"]
    assert (row["github_id"], row["star_events_count"], row["fork_events_count"]) == (7, 2, 0)
    (workspace.root / "opt-outs.txt").write_text("bob/old-name\n")
    workspace.build()
    assert workspace.row("bob/starred", "")["rule"] == "opt-out"
    assert workspace.row("alice/first", "x.py")["verdict"] == "kept"
    assert workspace.build_again() == {}
    workspace.add("https://github.com/bob/starred")  # not even asked for
    workspace.build()
    assert sorted(one["rule"] for one in workspace.problems()) == ["opt-out", "opt-out"]
    assert not (workspace.root / ".starloom" / "fetched" / "git").exists()


def test_githubs_events_decide_what_an_export_does_not_say(tmp_path):
    """The default branch of a repository, and which of two with the same files is the one."""
    path = git_repository(tmp_path / "a", {"LICENSE": MIT, "x.py": code(1)})
    Git(path)("checkout", "-q", "-b", "develop")
    building.put(path, {"y.py": code(2)})
    Git(path).commit()
    Git(path)("checkout", "-q", "main")
    export = Export()
    for name in ("alice/first", "bob/second"):
        export.git(path, f"https://github.com/{name}")
    base, objects = export.write(tmp_path / "export"), export.write_contents(tmp_path / "objects")
    events = [
        event(1, "WatchEvent", 7, "bob/second", {"action": "started"}, "2023-01-01T00:00:01Z"),
        event(2, "CreateEvent", 7, "Bob/Second", {"ref": "main", "master_branch": "develop"}, "2023-01-01T00:00:02Z"),
        event(3, "CreateEvent", 8, "alice/first", {"ref": "main", "master_branch": "develop"}, "2023-01-01T00:00:02Z"),
    ]
    with gzip.open(tmp_path / "2023-01-01-0.json.gz", "wt") as file:
        file.writelines(json.dumps(one) + "\n" for one in events)
    made = Workspace(tmp_path / "w", f"swh:{base}")
    made.replace('rights = "public"', f'rights = "public"\ncontents = "{objects}"')
    made.build("list")
    assert {row["path"] for row in made.listing()} == {"LICENSE", "x.py"}
    assert {row["repo_name"] for row in made.listing()} == {"alice/first"}  # by URL, where nothing else is known
    made.configure(f'[gh_archive]\npath = "{tmp_path / "2023-01-01-0.json.gz"}"\n')
    made.build()
    assert {row["path"] for row in made.listing()} == {"LICENSE", "x.py", "y.py"}
    assert {row["repo_name"] for row in made.listing()} == {"bob/second"}
    row = made.row("alice/first", "")
    assert (row["verdict"], row["rule"]) == ("dropped", "same-root-directory")
    assert "bob/second" in row["value"]
    assert made.build_again() == {}


def event(number, kind, repository, name, payload, at):
    return {
        "id": str(number),
        "type": kind,
        "actor": {"id": 1, "login": "somebody"},
        "repo": {"id": repository, "name": name, "url": f"https://api.github.com/repos/{name}"},
        "payload": payload,
        "public": True,
        "created_at": at,
    }


def test_no_two_ways_share_a_state(repositories, tmp_path):
    """The same repository named twice is listed twice, under two names."""
    one, _ = repositories
    made = Workspace(tmp_path / "w", one, one).build("list")
    assert {row["repo_name"] for row in made.listing()} == {"alice/one", f"alice/one~{one.parent.name}"}
    assert building.tables.problems(made.root)

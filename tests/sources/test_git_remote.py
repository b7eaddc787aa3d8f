"""Repositories on other machines, fetched from a server on the loopback."""

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sources.git_server import GitServer, send
from starloom.errors import UserError
from starloom.sources.git import network as git_network
from starloom.sources.git import remote as git_remote
from starloom.sources.git.remote import open_remote
from starloom.sources.git.url import parse_remote
from starloom.sources.repository import SourceError, SourceSettings


@pytest.fixture
def upstream(new_git):
    """A bare repository with three commits at served/ada/engine.git."""
    git = new_git("work")
    git.write(**{"a.py": b"first\n"})
    git.commit()
    git.write(**{"a.py": b"alpha\n", "d/b.py": b"beta\n"})
    git.commit()
    git("branch", "other")
    (git.path.parent / "served/ada").mkdir(parents=True)
    git("clone", "-q", "--bare", str(git.path), str(git.path.parent / "served/ada/engine.git"))
    git("remote", "add", "served", str(git.path.parent / "served/ada/engine.git"))
    return git


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    monkeypatch.setattr(git_remote, "WAITS", (0.0, 0.0))
    server = GitServer(tmp_path / "served")
    yield server
    server.close()


@pytest.fixture
def url(server, upstream):
    return f"{server.url}/ada/engine.git"


def fetched(url, place, rights="public"):
    """The source at `url` once it has been fetched."""
    (waiting,) = open_remote(url, SourceSettings(url, rights), place).unfetched
    waiting.fetch(place)
    return again(url, replace(place, update=False), rights)


def again(url, place, rights="public"):
    found = open_remote(url, SourceSettings(url, rights), place)
    assert (found.problems, found.unfetched) == ([], [])
    (source,) = found.sources
    return source


def failure(url, place):
    """The problem of a fetch that must fail, leaving nothing."""
    (waiting,) = open_remote(url, SourceSettings(url), place).unfetched
    with pytest.raises(SourceError) as caught:
        waiting.fetch(place)
    assert [one.name for one in (place.folder / "git").iterdir() if one.suffix != ".lock"] == []
    assert caught.value.problem.location == url
    return caught.value.problem


def test_fetch(url, place, upstream, read):
    opened = open_remote(url, SourceSettings(url), place)
    assert opened.sources == []
    (waiting,) = opened.unfetched
    assert (waiting.location, waiting.repo_name, waiting.alone) == (url, "ada/engine", False)
    assert not place.folder.exists()  # opening fetches nothing
    pickle.loads(pickle.dumps(waiting)).fetch(place)
    row = again(url, place, "owned").repository()
    assert (row.repo_name, row.kind, row.location, row.url, row.rights) == ("ada/engine", "git", url, url, "owned")
    assert row.revision_id == upstream("rev-parse", "HEAD")
    assert row.directory_id == upstream("rev-parse", "HEAD^{tree}")
    assert row.branch_name == "refs/heads/main"
    assert read(again(url, place)) == {b"a.py": b"alpha\n", b"d/b.py": b"beta\n"}


def test_only_the_last_commit_of_the_main_branch_comes(url, place, upstream):
    fetched(url, place)
    (folder,) = (place.folder / "git").glob("*.git")
    assert upstream("--git-dir", str(folder), "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert upstream("--git-dir", str(folder), "rev-list", "--all", "--count") == "1"
    assert len(list((folder / "objects/pack").glob("*.pack"))) == 1
    upstream("--git-dir", str(folder), "fsck", "--strict")


def test_what_was_fetched_stays_until_updated(url, place, server, upstream):
    source = fetched(url, place)
    old, state = source.repository().revision_id, source.state()
    upstream.write(new=b"new\n")
    new = upstream.commit()
    upstream("push", "-q", "served", "main")
    requests = len(server.requests)
    assert again(url, place).repository().revision_id == old
    assert len(server.requests) == requests
    updated = fetched(url, replace(place, update=True))
    assert updated.repository().revision_id == new
    assert updated.state() != state
    assert len(list((place.folder / "git").iterdir())) == 2  # the repository and its lock


def test_a_failed_update_leaves_what_was_there(url, place, server):
    fetched(url, place)
    server.answer = lambda _server, handler: send(handler, 404) or True
    (waiting,) = open_remote(url, SourceSettings(url), replace(place, update=True)).unfetched
    with pytest.raises(SourceError):
        waiting.fetch(replace(place, update=True))
    assert again(url, place).repository().repo_name == "ada/engine"


def test_the_same_url_twice_is_fetched_once(url, place, server):
    (waiting,) = open_remote(url, SourceSettings(url), place).unfetched
    threads = [threading.Thread(target=waiting.fetch, args=(place,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("info/refs" in path for _, path, _ in server.requests) == 3  # ours, and git's two


# The main branch


@pytest.mark.parametrize("rule", ["code", "paper"])
def test_default_branch(url, place, upstream, tmp_path, rule):
    upstream("push", "-q", "served", "main:refs/heads/--upload-pack=x")
    upstream("--git-dir", str(tmp_path / "served/ada/engine.git"), "symbolic-ref", "HEAD", "refs/heads/--upload-pack=x")
    assert fetched(url, replace(place, main_branch=rule)).repository().branch_name == "refs/heads/--upload-pack=x"


@pytest.mark.parametrize(("rule", "branch"), [("code", None), ("paper", "refs/heads/main")])
def test_detached_head(url, place, upstream, tmp_path, rule, branch):
    first = upstream("rev-parse", "HEAD~1")
    upstream("--git-dir", str(tmp_path / "served/ada/engine.git"), "update-ref", "--no-deref", "HEAD", first)
    row = fetched(url, replace(place, main_branch=rule)).repository()
    assert row.branch_name == branch
    assert row.revision_id == (first if rule == "code" else upstream("rev-parse", "main"))


@pytest.mark.parametrize(("rule", "branch"), [("code", "refs/heads/master"), ("paper", "refs/heads/main")])
def test_unborn_head(url, place, upstream, tmp_path, rule, branch):
    upstream("push", "-q", "served", "main:refs/heads/master")
    upstream("--git-dir", str(tmp_path / "served/ada/engine.git"), "symbolic-ref", "HEAD", "refs/heads/nothing")
    assert fetched(url, replace(place, main_branch=rule)).repository().branch_name == branch


def test_no_main_branch(server, place, new_git, tmp_path):
    (tmp_path / "served").mkdir()
    new_git("served/empty.git", "--bare")
    assert "no commits on a main branch" in failure(f"{server.url}/empty.git", place).reason


def test_ten_thousand_branches(url, place, upstream, tmp_path):
    commit = upstream("rev-parse", "HEAD")
    folder = tmp_path / "served/ada/engine.git"
    lines = sorted(f"{commit} refs/heads/{name}\n" for name in ("main", *(f"b{n}" for n in range(10_000))))
    (folder / "packed-refs").write_text("# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines))
    assert fetched(url, place).repository().branch_name == "refs/heads/main"


# Servers that misbehave


def test_a_server_that_is_busy_is_asked_again(url, place, server):
    answers = iter([503, 429])
    server.answer = lambda _server, handler: bool((status := next(answers, 0)) and (send(handler, status) or True))
    assert fetched(url, place).repository().repo_name == "ada/engine"


def test_a_server_that_stays_busy(url, place, server):
    server.answer = lambda _server, handler: send(handler, 503) or True
    assert "503" in failure(url, place).reason
    assert len(server.requests) == 3


def test_no_such_repository(url, place, server):
    problem = failure(url.replace("engine", "nothing"), place)
    assert "404" in problem.reason
    assert len(server.requests) == 1


@pytest.mark.parametrize("where", ["GET", "POST"])
def test_a_server_that_stalls(url, place, server, monkeypatch, where):
    monkeypatch.setattr(git_network, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(git_remote, "WAITS", ())
    server.answer = lambda _server, handler: handler.command == where and (server.released.wait(20) or True)
    started = time.monotonic()
    failure(url, place)
    assert time.monotonic() - started < 15


def test_a_pack_that_is_cut_off(url, place, server):
    def cut(server, handler):
        if handler.command != "POST":
            return False
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-git-upload-pack-result")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"0008NAK\n")
        handler.close_connection = True
        return True

    server.answer = cut
    failure(url, place)
    server.answer = lambda *_: False
    assert fetched(url, place)


def test_a_pack_that_is_too_large(url, place, server, upstream, monkeypatch):
    upstream.write(noise=os.urandom(1 << 20))
    upstream.commit()
    upstream("push", "-q", "served", "main")
    monkeypatch.setattr(git_network, "MAX_PACK", 1 << 17)
    monkeypatch.setattr(git_remote, "WAITS", ())
    failure(url, place)


def test_objects_that_git_would_not_take(server, place, new_git, tmp_path, url):
    git = new_git("served/evil.git", "--bare")
    git.point_main_at(git.tree((b"100644", b"..", git.blob(b"x"))))
    assert "Dotdot" in failure(f"{server.url}/evil.git", place).reason
    assert fetched(url, place)  # the next one is fine


def test_old_quirks_are_taken(server, place, new_git, tmp_path):
    (tmp_path / "served").mkdir()
    git = new_git("served/old.git", "--bare")
    inner = git.tree((b"100644", b"x", git.blob(b"x")))
    tree = git.tree((b"040000", b"d", inner))
    raw = b"tree %b\nauthor A <a> 1 +000\ncommitter <c> 1 +51800\n\nold\n" % tree.encode()
    git("update-ref", "refs/heads/main", git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", feed=raw))
    assert [one.path for one in fetched(f"{server.url}/old.git", place).entries(10)] == ["d/x"]


def redirect(target):
    def answer(_server, handler):
        if handler.path.startswith("/moved"):
            send(handler, 301, headers={"Location": target + handler.path.removeprefix("/moved")})
            return True
        return False

    return answer


def test_redirect_is_followed_by_hand(url, server, place):
    server.answer = redirect("")
    moved = f"{server.url}/moved/ada/engine.git"
    row = fetched(moved, place).repository()
    assert row.location == moved


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254", "file:///etc", "ext::sh", "http://0x7f.1:1", "ssh://-oProxyCommand=x"]
)
def test_redirect_to_what_is_refused(url, server, place, target, monkeypatch):
    monkeypatch.setattr(git_remote, "WAITS", ())
    server.answer = redirect(target)
    problem = failure(f"{server.url}/moved/ada/engine.git", place)
    assert problem.reason
    assert len(server.requests) == 1


def test_git_itself_follows_no_redirect(url, server, place, monkeypatch):
    seen = []

    def only_later(server, handler):
        seen.append(handler.path)
        return len(seen) > 1 and redirect("")(server, handler)

    server.answer = lambda server, handler: (
        only_later(server, handler)
        if handler.path.startswith("/moved") and len(seen)
        else (seen.append(handler.path) or send(handler, 200, b"001e# service=git-upload-pack\n0000") or True)
    )
    assert "301" in failure(f"{server.url}/moved/ada/engine.git", place).reason


# What is refused before anything is asked


@pytest.mark.parametrize(
    "text",
    [
        "--upload-pack=touch x",
        "-oProxyCommand=x@host:a/b",
        "https://-x/a/b",
        "ssh://-oProxyCommand=touch/a",
        "user@-host:a/b",
        "ext::sh -c touch% x",
        "ext::sh",
        "fd::17",
        "file:///srv/git/a",
        "/srv/git/a",
        "ftp://example.org/a/b",
        "https://example.org/a b",
        "https://example.org/a\nb",
        "https://example.org/a\x00b",
        "https://example.org/caf\u00e9",
        "https://example.org/a?token=1",
        "https://example.org/a#b",
        "https://example.org",
        "https://example.org:99999/a",
        "https:///a/b",
        "https://exa$mple/a/b",
        "https://example.org\\@evil.org/a/b",
        "git@github.com:--upload-pack=x",
        "https://" + "a" * 3000,
        "",
    ],
)
def test_refused_urls(text, place):
    with pytest.raises(UserError) as caught:
        open_remote(text, SourceSettings(text), place)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "https://127.0.0.1/a/b",
        "https://2130706433/a/b",
        "https://0x7f.1/a/b",
        "https://[::1]/a/b",
        "https://[::ffff:10.0.0.1]/a/b",
        "http://localhost:8000/a/b",
        "https://169.254.169.254/a/b",
        "git@10.0.0.1:a/b",
        "git://192.168.1.1/a/b",
    ],
)
def test_private_hosts_need_the_users_word(text, place, monkeypatch):
    monkeypatch.delenv("STARLOOM_ALLOW_PRIVATE", raising=False)
    with pytest.raises(UserError):
        open_remote(text, SourceSettings(text), place)


def test_a_name_of_a_private_address(place, monkeypatch):
    monkeypatch.delenv("STARLOOM_ALLOW_PRIVATE", raising=False)
    monkeypatch.setattr(git_network, "resolve", lambda host, port: ["192.168.0.7"])
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(git_network.RemoteError, match=r"192\.168\.0\.7"):
        git_network.network_environment(parse_remote("git://git.example.org/a/b"))
    with pytest.raises(git_network.RemoteError, match=r"192\.168\.0\.7"):
        git_network.network_environment(parse_remote("https://git.example.org/a/b"))


@pytest.mark.parametrize(
    "text", ["https://ada:secret@github.com/a/b", "https://secret@github.com/a/b", "ssh://ada:secret@github.com/a/b"]
)
def test_credentials_in_the_url(text, place):
    with pytest.raises(UserError) as caught:
        open_remote(text, SourceSettings(text), place)
    assert "secret" not in caught.value.problem
    assert "STARLOOM_GIT_TOKEN" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("https://github.com/psf/requests", ("https", "github.com", 443)),
        ("HTTPS://GitHub.com:8443/psf/requests.git", ("https", "github.com", 8443)),
        ("git@github.com:psf/requests.git", ("ssh", "github.com", 22)),
        ("ssh://git@example.org:2222/a", ("ssh", "example.org", 2222)),
        ("git://example.org/a", ("git", "example.org", 9418)),
    ],
)
def test_accepted_urls(text, remote):
    found = parse_remote(text)
    assert (found.scheme, found.host, found.port) == remote
    assert found.url == text


# Secrets


@pytest.fixture
def certificate(tmp_path):
    path = tmp_path / "server.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*make, *subject, "-keyout", path, "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return path


@pytest.fixture
def private(upstream, tmp_path, certificate, monkeypatch):
    """An https server that wants the token `s3cret-t0ken`."""
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    server = GitServer(tmp_path / "served", certificate)
    wanted = "Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0LXQwa2Vu"  # x-access-token:s3cret-t0ken

    def check(_server, handler):
        if handler.headers.get("Authorization") == wanted:
            return False
        send(handler, 401, headers={"WWW-Authenticate": 'Basic realm="s3cret-t0ken"'})
        return True

    server.answer = check
    yield server
    server.close()


def test_token(private, place, monkeypatch, tmp_path):
    url = f"{private.url}/ada/engine.git"
    problem = failure(url, place)
    assert "401" in problem.reason
    assert "STARLOOM_GIT_TOKEN" in problem.hint
    monkeypatch.setenv("STARLOOM_GIT_TOKEN", "s3cret-t0ken")
    failure(url, place)  # it is for github.com
    assert not any("Authorization" in headers for _, _, headers in private.requests)
    monkeypatch.setenv("STARLOOM_GIT_TOKEN_HOST", f"127.0.0.1:{private.port}")
    source = fetched(url, place)
    stored = [path.read_bytes() for path in place.folder.rglob("*") if path.is_file()]
    for place_of_secrets in (pickle.dumps(source), repr(source.repository()).encode(), *stored):
        assert b"s3cret" not in place_of_secrets
        assert b"eC1hY2Nlc3" not in place_of_secrets


def test_token_does_not_follow_a_redirect_to_another_host(private, server, place, monkeypatch, upstream):
    monkeypatch.setenv("STARLOOM_GIT_TOKEN", "s3cret-t0ken")
    monkeypatch.setenv("STARLOOM_GIT_TOKEN_HOST", f"127.0.0.1:{private.port}")
    other = GitServer(private.root, certificate=str(private.root.parent / "server.pem"))
    private.answer = redirect(other.url)
    fetched(f"{private.url}/moved/ada/engine.git", place)
    assert other.posts()
    assert not any("Authorization" in headers for _, _, headers in other.requests)
    other.close()


def test_token_is_never_sent_unencrypted(url, place, server, monkeypatch):
    monkeypatch.setenv("STARLOOM_GIT_TOKEN", "s3cret-t0ken")
    monkeypatch.setenv("STARLOOM_GIT_TOKEN_HOST", f"127.0.0.1:{server.port}")
    fetched(url, place)
    assert not any("Authorization" in headers for _, _, headers in server.requests)


def test_token_is_blotted_out_of_what_git_says(place, monkeypatch):
    monkeypatch.setenv("STARLOOM_GIT_TOKEN", "s3cret-t0ken")
    remote = parse_remote("https://github.com/a/b")
    said = git_network._scrubbed("fatal: bad s3cret-t0ken eC1hY2Nlc3MtdG9rZW46czNjcmV0LXQwa2Vu", remote)
    assert said == "fatal: bad *** ***"


def test_a_token_that_is_none(monkeypatch):
    monkeypatch.setenv("STARLOOM_GIT_TOKEN", "a\nHost: evil")
    with pytest.raises(UserError) as caught:
        git_network._authorization(parse_remote("https://github.com/a/b"))
    assert "evil" not in caught.value.problem


# Nothing of the user's and the system's settings


def test_settings_of_the_user_take_no_part(url, place, tmp_path, monkeypatch, server):
    script, marker = tmp_path / "payload.sh", tmp_path / "marker"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[credential]\n\thelper = "!{script}"\n[core]\n\tsshCommand = {script}\n\taskPass = {script}\n'
        f'[url "ext::{script} "]\n\tinsteadOf = {server.url}\n[protocol]\n\tallow = always\n'
    )
    (home / ".netrc").write_text("machine 127.0.0.1 login ada password s3cret\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_ASKPASS", str(script))
    monkeypatch.setenv("SSH_ASKPASS", str(script))
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setenv("GIT_PROXY_COMMAND", str(script))
    monkeypatch.setenv("GIT_EXEC_PATH", str(tmp_path))
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "trace"))
    fetched(url, place)
    server.answer = lambda _server, handler: send(handler, 401, headers={"WWW-Authenticate": "Basic"}) or True
    failure(url.replace("engine", "private"), replace(place, folder=tmp_path / "elsewhere"))
    assert not any("Authorization" in headers for _, _, headers in server.requests)
    assert not marker.exists()
    assert not (tmp_path / "trace").exists()


def test_ssh(upstream, place, tmp_path, monkeypatch, read):
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    programs = tmp_path / "bin"
    programs.mkdir()
    ssh = programs / "ssh"  # stands for the program, to see how it is called
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nenv | cut -d= -f1 >> {tmp_path}/environment\n'
        f'for last; do :; done\ncd {tmp_path}/served && eval "exec $last"\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    source = fetched("git@127.0.0.1:ada/engine.git", place)
    assert source.repository().repo_name == "ada/engine"
    assert source.repository().url == "ssh://127.0.0.1/ada/engine.git"
    assert len(read(source)) == 2
    arguments = (tmp_path / "arguments").read_text()
    assert "BatchMode=yes" in arguments
    assert "StrictHostKeyChecking=yes" in arguments
    environment = (tmp_path / "environment").read_text().split()
    assert "HOME" in environment
    assert "HTTPS_PROXY" not in environment


def test_git_protocol(upstream, place, tmp_path, monkeypatch):
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon = subprocess.Popen(
        ["git", "daemon", "--export-all", "--listen=127.0.0.1", f"--port={port}", f"--base-path={tmp_path / 'served'}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        assert fetched(f"git://127.0.0.1:{port}/ada/engine.git", place).repository().branch_name == "refs/heads/main"
    finally:
        daemon.terminate()
        daemon.wait()


# Faults


FETCH = """
import sys
from pathlib import Path
from starloom.sources.git.remote import RemoteGit
from starloom.sources.git.url import parse_remote
from starloom.sources.repository import Place
RemoteGit(parse_remote(sys.argv[1])).fetch(Place(Path(sys.argv[2]), None))
"""


def test_a_killed_fetch_leaves_nothing_half(url, place, server):
    reached = threading.Event()
    server.answer = lambda _server, handler: (
        handler.command == "POST" and (reached.set() or server.released.wait(20) or True)
    )
    child = subprocess.Popen([sys.executable, "-c", FETCH, url, str(place.folder)], start_new_session=True)
    assert reached.wait(20)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert list((place.folder / "git").glob("*.part"))
    assert open_remote(url, SourceSettings(url), place).unfetched
    server.answer = lambda *_: False
    server.released.set()
    assert fetched(url, place)
    assert not list((place.folder / "git").glob("*.part"))


def test_what_was_fetched_and_then_damaged(url, place):
    fetched(url, place)
    (folder,) = (place.folder / "git").glob("*.git")
    shutil.rmtree(folder / "objects")
    found = open_remote(url, SourceSettings(url), place)
    assert (found.sources, found.unfetched) == ([], [])
    assert "--update" in found.problems[0].hint
    assert fetched(url, replace(place, update=True))


def test_no_room(url, place, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(git_remote.tempfile, "mkdtemp", full)
    (waiting,) = open_remote(url, SourceSettings(url), place).unfetched
    with pytest.raises(SourceError, match="No space left"):
        waiting.fetch(place)


def test_nothing_of_git_is_left_running(url, place):
    fetched(url, place)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert not [one for one in children if "git" in Path(f"/proc/{one}/comm").read_text()]

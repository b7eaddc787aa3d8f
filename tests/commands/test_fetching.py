"""What lies elsewhere, at the terminal: fetched once, kept, updated when asked, and given up at once on Ctrl-C."""

import contextlib
import io
import json
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from the_stack.building import MIT, code


@pytest.fixture
def web(monkeypatch):
    """Files by path, served on this machine; `down` makes every answer a 503."""
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            data = None if server.down else server.files.get(self.path)
            server.asked.append(self.path)
            self.send_response(503 if server.down else 404 if data is None else 200)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.down, server.asked = {}, False, []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def archive(files):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"project-1.0/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return held.getvalue()


def test_fetched_once_kept_and_updated_when_asked(cli, web, tmp_path):
    web.files["/project-1.0.tar.gz"] = archive({"LICENSE": MIT, "a.py": code(1)})
    assert cli("init", "w", "--from", f"{web.url}/project-1.0.tar.gz", cwd=tmp_path).returncode == 0
    assert web.asked == []  # opening asks nobody
    dry = cli("build", "--dry-run", "-w", "w", cwd=tmp_path)
    assert "fetch 1 source, list 0 of 0 repositories" in dry.stdout
    assert web.asked == []
    done = cli("build", "-w", "w", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 repository, 2 files" in done.stderr
    asked = len(web.asked)
    web.files["/project-1.0.tar.gz"] = archive({"LICENSE": MIT, "a.py": code(1), "b.py": code(2)})
    assert "nothing to do" in cli("build", "-w", "w", cwd=tmp_path).stderr
    assert len(web.asked) == asked
    web.down = True
    done = cli("build", "--update", "-w", "w", cwd=tmp_path)
    assert done.returncode == 0
    assert f"{web.url}/project-1.0.tar.gz: not updated, it stays as it was" in done.stderr
    assert "1 repository, 2 files" in done.stderr or "up to date" in done.stderr
    web.down = False
    done = cli("build", "--update", "-w", "w", cwd=tmp_path)
    assert "1 repository, 3 files" in done.stderr, done.stderr


def test_what_cannot_be_fetched_is_named_and_tried_again(cli, web, tmp_path):
    address = f"{web.url}/project-1.0.tar.gz"
    cli("init", "w", "--from", address, "--from", f"{web.url}/absent.zip", cwd=tmp_path)
    web.files["/project-1.0.tar.gz"] = archive({"LICENSE": MIT, "a.py": code(1)})
    done = cli("build", "-w", "w", cwd=tmp_path)
    assert done.returncode == 0
    assert "1 repository, 2 files; 1 not read" in done.stderr
    why = cli("why", f"{web.url}/absent.zip", "-w", "w", cwd=tmp_path)
    assert "QUARANTINED by rule repository: not fetched: " in why.stdout
    assert "404" in why.stdout
    (problem,) = json.loads(cli("status", "--json", "-w", "w", cwd=tmp_path).stdout)["problems"]
    assert (problem["rule"], problem["location"]) == ("repository", f"{web.url}/absent.zip")
    web.files["/absent.zip"] = web.files["/project-1.0.tar.gz"]  # a tar by another name is one all the same
    done = cli("build", "-w", "w", cwd=tmp_path)
    assert "2 repositories, 4 files" in done.stderr


def test_addresses_of_this_machine_are_refused_unless_allowed(cli, web, tmp_path, monkeypatch):
    web.files["/a.zip"] = b"x"
    monkeypatch.delenv("STARLOOM_ALLOW_PRIVATE")
    cli("init", "w", "--from", f"{web.url}/a.zip", cwd=tmp_path)
    done = cli("build", "list", "-w", "w", cwd=tmp_path)
    assert "1 not read" in done.stderr
    assert "STARLOOM_ALLOW_PRIVATE=1" in cli("status", "-w", "w", cwd=tmp_path).stdout
    assert web.asked == []


def test_ctrl_c_while_servers_say_nothing(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    with socket.socket() as silent:
        silent.settimeout(60)
        silent.bind(("127.0.0.1", 0))
        silent.listen(20)
        port = silent.getsockname()[1]
        sources = (
            f"git://127.0.0.1:{port}/a/b.git",
            f"http://127.0.0.1:{port}/x/y.git",
            f"http://127.0.0.1:{port}/z.zip",
        )
        assert cli("init", "w", *(word for one in sources for word in ("--from", one))).returncode == 0
        process = subprocess.Popen(
            [sys.executable, "-c", "from starloom.commands import main; main()", "build", "-w", "w"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        held = [silent.accept() for _ in range(3)]  # all three wait for an answer
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        for connection, _ in held:
            with contextlib.suppress(OSError):
                connection.close()
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == "interrupted: nothing is half done; the same command does what is left"
    assert "Traceback" not in said
    left = subprocess.run(["pgrep", "-f", f"127.0.0.1:{port}"], capture_output=True, check=False).stdout
    assert left == b""

"""A web server of a folder that waits before each answer: python slow_web.py FOLDER SECONDS. Says its port."""

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER, SECONDS = Path(sys.argv[1]), float(sys.argv[2])
asked = {"requests": 0, "bytes": 0}
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = FOLDER / self.path.lstrip("/")
        if self.path == "/asked":
            return self._answer(200, f"{asked['requests']} {asked['bytes']}".encode())
        time.sleep(SECONDS)
        size = path.stat().st_size
        ranged = self.headers.get("Range")
        if ranged is None:
            return self._answer(200, path.read_bytes())
        first, last = (int(one) for one in ranged.removeprefix("bytes=").split("-"))
        with path.open("rb") as file:
            file.seek(first)
            data = file.read(last + 1 - first)
        with lock:
            asked["requests"] += 1
            asked["bytes"] += len(data)
        return self._answer(206, data, f"bytes {first}-{first + len(data) - 1}/{size}")

    def _answer(self, status: int, data: bytes, ranged: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if ranged:
            self.send_header("Content-Range", ranged)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing: the bench tells."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()

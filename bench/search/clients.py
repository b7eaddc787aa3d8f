"""Many clients at a server: each asks its queries one after the other, all of them at once."""

import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from running.times import told
from running.workspace import STARLOOM

_EACH = 40  # queries a client


def ask(workspace: Path, queries: list[str], clients: int) -> dict[str, Any]:
    """`starloom serve` in a process of its own; a third of the clients asks for facets too."""
    serving = [*STARLOOM, "serve", "--port", "0", "-w", str(workspace)]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            address = re.search(r"http://\S+", server.stdout.readline())
            assert address is not None
            url = address[0].rstrip("/")
            _get(url, queries[0], False)
            seconds: list[float] = []
            problems: Counter[str] = Counter()
            partial = [0]
            threads = [
                threading.Thread(target=_client, args=(url, queries, number, seconds, problems, partial))
                for number in range(clients)
            ]
            start = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wall = time.monotonic() - start
        finally:
            server.terminate()
    answers = {"clients": clients, "answers": len(seconds), "problems": dict(problems), "partial": partial[0]}
    return answers | {"answers a second": len(seconds) / wall} | told(seconds)


def _client(
    url: str, queries: list[str], number: int, seconds: list[float], problems: Counter[str], partial: list[int]
) -> None:
    for step in range(_EACH):
        query = queries[(number * 37 + step * 11) % len(queries)]
        start = time.perf_counter()
        try:
            answer = _get(url, query, number % 3 == 0)
            partial[0] += bool(answer["partial"])
            seconds.append(time.perf_counter() - start)
        except (OSError, ValueError, KeyError) as problem:
            problems[f"{type(problem).__name__}: {problem}"[:100]] += 1


def _get(url: str, query: str, facets: bool) -> dict[str, Any]:
    given = {"q": query} | ({"facets": "yes"} if facets else {})
    asked = urllib.request.Request(
        f"{url}/search?{urllib.parse.urlencode(given)}", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found

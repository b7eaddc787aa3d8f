"""The pages: what they show, what they answer as JSON, and that nothing of a stranger's becomes markup."""

import html
import json
import re
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conftest import HOSTILE, WANTED, client, serving
from starloom.membership.matches import Match, MatchedFile
from starloom.server.app import make_app
from starloom.server.pages import file as files
from starloom.server.pages.check import _links, _spans
from starloom.server.pages.marked import MOST_LINES, Span, marked_lines, neighbourhoods
from the_stack import building

EVERY = ["/", "/search", "/search?q=walrus", "/check", "/file?repo=one&path=src/walrus.py", "/nothing"]


class Page(HTMLParser):
    """Tags, links and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids, self.words = [], [], [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            assert not name.startswith("on"), f"{name} on <{tag}>"
            assert name != "style", f"style on <{tag}>"
            if name in ("href", "src", "action"):
                self.links.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_data(self, data):
        self.words.append(data)


def page(response, status=200):
    assert response.status_code == status, response.text[:500]
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return Page(response.text)


# --- every page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERY)
def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(browser, path):
    found = page(browser.get(path), 404 if path == "/nothing" else 200)
    assert "script" not in found.tags
    assert "style" not in found.tags  # the policy would refuse it
    assert "iframe" not in found.tags
    for link in found.links:
        assert link.startswith(("/", "#")), link
        if link.startswith("/") and "?" not in link:
            assert browser.get(link).status_code == 200, link
    assert len(found.ids) == len(set(found.ids))


@pytest.mark.parametrize("path", EVERY)
def test_pages_say_their_language_and_title(browser, path):
    text = browser.get(path).text
    assert '<html lang="en-GB">' in text
    assert re.search(r"<title>[^<]{3,}</title>", text)
    assert text.count("<h1>") == 1


def test_assets(browser):
    for name, kind in (("style.css", "text/css"), ("pages.css", "text/css"), ("icon.svg", "image/svg+xml")):
        response = browser.get(f"/assets/{name}")
        assert response.headers["content-type"].startswith(kind)
        assert "http://" not in response.text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in response.text
    for name in ("../style.css", "..%2fapp.py", "base.html", "%00", "style.css%00"):
        assert browser.get(f"/assets/{name}").status_code == 404


# --- / ---------------------------------------------------------------------------------------------------------------


def test_home(browser, program):
    found = page(browser.get("/"))
    assert "27 files of code from 2 repositories" in found.text
    assert "tiny" in found.text
    assert "curl http://127.0.0.1:8000/v1/completions" in found.text
    assert {"/search", "/check", "/report"} <= set(found.links)
    told = program.get("/").json()
    assert told["headline"]["kept_files"] == 27
    assert told["parts"] == {"search": True, "check": True, "report": True, "completions": True}
    assert told["model"] == "tiny"


def test_home_of_nothing(empty):
    found = page(empty.get("/"))
    for command in ("starloom build", "starloom index", "starloom report", "starloom train"):
        assert command in found.text
    assert found.text.count("not made") == 4
    told = empty.get("/?format=json").json()
    assert told["headline"] is None
    assert not any(told["parts"].values())


# --- /search ---------------------------------------------------------------------------------------------------------


def test_search(browser, program):
    response = browser.get("/search", params={"q": "quarrelsome_walrus"})
    found = page(response)
    assert "1 file," in found.text
    assert "src/walrus.py" in found.text
    assert "<mark>quarrelsome_walrus</mark>" in response.text
    told = program.get("/search", params={"q": "quarrelsome_walrus"}).json()
    assert {"total", "seconds", "hits"} <= set(told)
    (hit,) = told["hits"]
    assert {"repo_name", "path", "line", "snippet", "language", "license_type"} <= set(hit)
    assert (hit["repo_name"], hit["path"], hit["line"]) == ("one", "src/walrus.py", 1)


def test_format_in_the_address(browser):
    assert browser.get("/search?q=walrus&format=json").json()["total"] == 1
    assert browser.get("/search?q=walrus&format=html").headers["content-type"].startswith("text/html")


def more(found):
    """The link to the next page."""
    links = [link for link in found.links if "cursor=" in link]
    assert len(links) <= 1
    return links[0] if links else None


def test_pages_of_hits(browser):
    seen = []
    found = page(browser.get("/search?q=path:plain+count:all"))
    assert "24 files, 1 to 10" in found.text
    assert not [link for link in found.links if link == "/search?q=path%3Aplain+count%3Aall"]
    for words in ("11 to 20", "21 to 24"):
        seen += re.findall(r"plain_\d+\.py", found.text)
        found = page(browser.get(more(found)))
        assert words in found.text
        assert "/search?q=path%3Aplain+count%3Aall" in found.links  # back to the first
    seen += re.findall(r"plain_\d+\.py", found.text)
    assert more(found) is None
    assert len(seen) == len(set(seen)) == 24


def test_all_hits_by_program(program):
    values = {"q": "path:plain", "limit": "7"}
    seen = []
    while True:
        told = program.get("/search", params=values).json()
        seen += [hit["path"] for hit in told["hits"]]
        if told["cursor"] is None:
            break
        assert len(told["hits"]) == 7
        values["cursor"] = told["cursor"]
    assert len(seen) == len(set(seen)) == 24


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "99999999999999999999", "٣", "1e3"])
def test_numbers_that_are_none(browser, program, number):
    assert browser.get("/search", params={"q": "path:plain", "n": number}).status_code == 200
    told = program.get("/search", params={"q": "path:plain", "limit": number}).json()
    assert len(told["hits"]) in (10, 24)


@pytest.mark.parametrize("cursor", ["x", "1", "-", "é", "A" * 5_000])
def test_cursors_that_are_none(browser, program, cursor):
    for one in (browser, program):
        response = one.get("/search", params={"q": "walrus", "cursor": cursor})
        assert response.status_code == 400
    assert "cursor" in response.json()["error"]["message"]


def test_a_cursor_of_another_query(program):
    cursor = program.get("/search?q=path:plain").json()["cursor"]
    assert program.get("/search", params={"q": "path:py", "cursor": cursor}).status_code == 400


def test_facets(browser, program):
    """Counts of what the hits are, each a link to the query narrowed to those."""
    for query in ("-zzz_never", "def or walrus"):
        response = browser.get("/search", params={"q": query})
        found = page(response)
        (aside,) = re.findall(r"<aside.*?</aside>", response.text, re.DOTALL)
        rows = re.findall(r'<a href="([^"]*)">([^<]*)</a> <span class="quiet">([\d,]+)</span>', aside)
        assert rows
        for link, _, number in rows:
            narrowed = html.unescape(link)
            assert narrowed in found.links
            told = program.get(narrowed).json()
            assert told["total"] == int(number), narrowed
        told = program.get("/search", params={"q": query, "facets": "yes"}).json()
        assert sum(told["facets"]["language"].values()) == told["total"]
    assert program.get("/search?q=walrus").json()["facets"] is None


def test_nothing_found(browser):
    text = page(browser.get("/search?q=zzzzzzzz_never")).text
    assert "Nothing found" in text
    assert 'within others write `"zzzzzzzz_never"`' in text


@pytest.mark.parametrize("query", ["lang:nonsense", '"open', "colour:red x", "(x", "a or", "/(/"])
def test_a_query_that_is_none(browser, program, query):
    found = page(browser.get("/search", params={"q": query}), 400)
    assert "^" in found.text  # where
    response = program.get("/search", params={"q": query})
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_an_empty_query(browser, program):
    assert "All terms must hold" in page(browser.get("/search?q=%20")).text
    assert program.get("/search").status_code == 400


HOSTILE_TEXTS = [
    HOSTILE,
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)",
    "{{ 7 * 7 }}",
    "a\x00b\x1b[31m\u202e",
    "\ud800",
    "%ff%00",
    "</textarea><script>",
    "x" * 9_000,
]


@pytest.mark.parametrize("query", HOSTILE_TEXTS)
def test_hostile_queries(browser, query):
    query = query.encode("utf-8", "replace").decode()
    response = browser.get("/search", params={"q": query})
    assert response.status_code in (200, 400)
    assert "script" not in Page(response.text).tags
    assert "img" not in Page(response.text).tags
    typed = re.search(r'name="q" value="([^"]*)"', response.text)
    assert html.unescape(typed[1]) == query.replace("\0", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    "query",
    [
        "x" * 60_000,
        "(" * 10_000,
        "/(a+)+$/",
        "/.*/",
        "/(?=a)/",
        "/\\1/",
        "/" + "a?" * 500 + "/",
        "lang:",
        "a or",
        "-",
    ],
    ids=range(10),
)
def test_queries_that_would_take_for_ever(program, query):
    response = program.get("/search", params={"q": query})
    assert response.status_code in (200, 400)
    if response.status_code == 400:
        assert response.json()["error"]["message"]


def test_hostile_names_and_contents(browser):
    response = browser.get("/search", params={"q": '"alert(1)"'})
    found = page(response)
    assert "<i>two" in found.text
    assert "<img src=x>.py" in found.text
    assert HOSTILE in found.text.replace("alert(1) ", "alert(1)").replace(" alert(1)", "alert(1)")
    assert not {"img", "i", "script"} & set(found.tags)


# --- /file -----------------------------------------------------------------------------------------------------------


def lines_of(response):
    """(number, text, whether it is marked) of every line shown."""
    rows = re.findall(
        r'<span class="row( asked)?" id="L(\d+)"><a class="line" href="#L\2">\2</a><span>([^<]*)</span></span>',
        response.text,
    )
    return [(int(number), html.unescape(text), bool(asked)) for asked, number, text in rows]


def test_a_hit_leads_to_its_file(browser, program, full):
    """From the hit to its line, the file whole, with what is known of it."""
    found = page(browser.get("/search?q=first.tusks"))
    (link,) = [link for link in found.links if link.startswith("/file?")]
    assert link.endswith("#L3")
    response = browser.get(link)
    shown = page(response)
    text = (WANTED.encode() + building.code("walrus", 30)).decode()
    rows = lines_of(response)
    assert [row[1] for row in rows] == [line.replace("\u202e", "\\u202e") for line in text.splitlines()]
    assert [row[0] for row in rows if row[2]] == [3]
    assert "KEPT" in shown.text
    assert "MIT" in shown.text
    assert "L3" in shown.ids
    told = program.get(link).json()
    assert (told["repo_name"], told["path"], told["split"]) == ("one", "src/walrus.py", "train")
    assert told["lines"] == told["last_line"] == len(rows)
    assert told["detected_licenses"] == ["MIT"]


def test_a_match_leads_to_its_file(browser):
    response = browser.post("/check", data={"text": WANTED})
    (link,) = [link for link in page(response).links if link.startswith("/file?")]
    assert [row[0] for row in lines_of(browser.get(link)) if row[2]] == [1, 2, 3, 4]


def test_a_file_of_hostile_names(browser):
    found = page(browser.get("/search", params={"q": '"alert(1)"'}))
    for link in [link for link in found.links if link.startswith("/file?")]:
        shown = page(browser.get(link))
        assert not {"img", "i", "script"} & set(shown.tags)
        assert "<i>two" in shown.text
        assert HOSTILE in shown.text.replace(" ", "")


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, 400),
        ({"repo": "one"}, 400),
        ({"path": "src/walrus.py"}, 400),
        ({"repo": "one", "path": "src/nothing.py"}, 404),
        ({"repo": "nobody", "path": "src/walrus.py"}, 404),
        ({"repo": "one", "path": "../../../../etc/passwd"}, 404),
        ({"repo": "one", "path": "/etc/passwd"}, 404),
        ({"repo": HOSTILE, "path": "a\x00b\x1b[31m"}, 404),
        ({"repo": "one", "path": "src/walrus.py", "lines": "9-3", "start": "-1"}, 200),
        ({"repo": "one", "path": "src/walrus.py", "lines": "999999999999", "start": "999999999"}, 200),
        ({"repo": "one", "path": "src/walrus.py", "lines": "٣", "start": "٣"}, 200),
    ],
)
def test_files_that_are_none(browser, program, values, status):
    found = page(browser.get("/file", params=values), status)
    assert "script" not in found.tags
    response = program.get("/file", params=values)
    assert response.status_code == status
    assert "error" in response.json() or status == 200


def test_a_file_without_a_dataset(empty):
    assert "starloom build" in page(empty.get("/file?repo=one&path=a.py"), 503).text


def test_files_are_shown_two_at_a_time(full, monkeypatch):
    """Each goes over the ledger; HEAD does what GET does, in its turn. Other pages do not wait."""
    found, lock, now, most = files.kept_file, threading.Lock(), 0, 0

    def counted(*asked):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1
        return found(*asked)

    monkeypatch.setattr(files, "kept_file", counted)
    with serving(make_app(full, None)) as (host, port), ThreadPoolExecutor(12) as clients:

        def ask(method, path="/file?repo=one&path=src/walrus.py"):
            request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return bool(answer.read())

        asked = [clients.submit(ask, method) for method in ["GET", "HEAD"] * 6]
        assert ask("GET", "/health")
        assert [one.result() for one in asked] == [True, False] * 6
    assert most == 2


def test_a_file_of_a_repository_whose_name_has_a_colon(tmp_path):
    """With its own reasons, not those of another file that reads alike."""
    sources = [
        building.git_repository(tmp_path / name, {path: building.code(name, 20), **license})
        for name, path, license in (("my:proj", "a.py", {"LICENSE": building.MIT}), ("my", "proj:a.py", {}))
    ]
    made = building.Workspace(tmp_path / "w", *sources).build()
    with client(make_app(made.root, None), Accept="text/html") as browser:
        for name, path, license in (("my:proj", "a.py", "permissive"), ("my", "proj:a.py", "no_license")):
            shown = page(browser.get("/file", params={"repo": name, "path": path})).text
            assert f"{name}:{path} KEPT" in shown
            assert f"licence {license}" in shown


def test_a_long_file_comes_in_pages_and_what_is_private_is_hidden(tmp_path):
    """Line by line as it is in the dataset, whatever page it is on."""
    lines = building.code("long", 4_600).decode().splitlines()[:4_499]
    lines[2_100] = "owner = 'ada.lovelace@analytical-engine.dev'"
    lines[2_101] = "wide = " + " + ".join("w" * 700)
    files = {"LICENSE": building.MIT, "long.py": "\n".join(lines).encode(), "empty.py": b""}
    made = building.Workspace(
        tmp_path / "w",
        building.git_repository(tmp_path / "one", files),
        extra=f"{building.ENGINE}\n[redact.source]\nreplace = 'none'\n[[rules]]\nname = 'long-line'\ndrop = 'false'\n",
    ).build()
    with client(make_app(made.root, None), Accept="text/html") as browser:
        link, seen = "/file?repo=one&path=long.py", []
        while link:
            response = browser.get(link)
            seen += lines_of(response)
            links = re.findall(r'<a rel="next" href="([^"]*)"', response.text)
            link = html.unescape(links[0]) if links else None
        assert [row[0] for row in seen] == list(range(1, 4_500))
        assert "ada.lovelace" not in seen[2_100][1]
        assert "<EMAIL>" in seen[2_100][1]
        assert len(seen[2_101][1]) == 2_001
        assert [row[1] for row in seen[:2_100] + seen[2_102:]] == lines[:2_100] + lines[2_102:]
        response = browser.get("/file?repo=one&path=long.py&lines=4000-4002#L4000")
        assert [row[0] for row in lines_of(response) if row[2]] == [4_000, 4_001, 4_002]
        assert 'rel="prev"' in response.text


# --- /check ----------------------------------------------------------------------------------------------------------

INDENTED = "".join(f"\t{line}\n" for line in WANTED.splitlines())
OWN = "nobody_wrote_this = lambda alpha: (\n    alpha ** 7 + 'nor this, I should hope'\n)\n"


def test_check(browser, program):
    """A re-indented copy among own code: its file, its licence, and what of the text it is."""
    text = OWN + "\n" + INDENTED + "\n" + OWN
    found = program.post("/check", json={"text": text}).json()
    assert {"coverage", "seconds", "matches"} <= set(found)
    (match,) = found["matches"]
    assert text[match["start"] : match["end"]].strip() == INDENTED.strip()
    (file,) = match["files"]
    assert {"repo_name", "path", "content_id", "detected_licenses"} <= set(file)
    assert (file["repo_name"], file["path"], file["detected_licenses"]) == ("one", "src/walrus.py", ["MIT"])
    response = browser.post("/check", data={"text": text.replace("\n", "\r\n")})
    shown = page(response)
    assert "src/walrus.py" in shown.text
    assert "MIT" in shown.text
    assert "1 match in the 2 repositories" in shown.text
    assert "Lines 5 to 8" in shown.text
    marked = re.findall(r'<a class="match"[^>]*>([^<]*)</a>', response.text)
    assert [html.unescape(one) for one in marked] == [
        line.strip().replace("\u202e", "\\u202e") for line in INDENTED.splitlines()
    ]
    assert {"m1", "t1"} <= set(shown.ids)


def test_what_stands_there_as_it_is_is_marked_so_in_a_renamed_copy():
    def match(start, end, kind):
        return Match(start, end, 1, 1, end - start, [], 1, False, kind=kind)

    found = _spans([match(30, 40, "exact"), match(5, 12, "exact"), match(10, 60, "renamed"), match(80, 90, "renamed")])
    assert found == [(5, 12, 2), (12, 30, 3), (30, 40, 1), (40, 60, 3), (80, 90, 4)]
    assert _spans([match(0, 9, "exact"), match(0, 9, "renamed")]) == [(0, 9, 1)]


@pytest.mark.parametrize(
    ("link", "shown"),
    [("https://github.com/x/y/blob/1/a.py#L1", True), ("javascript:alert(1)", False), (None, False)],
)
def test_permalinks_are_addresses_of_pages(link, shown):
    """Else a file of the dataset has a page of ours, where there is a dataset."""
    file = MatchedFile("r", "p", "c", None, None, None, (), None, "train", True, 0, 9, 1, 1, "swh:1:cnt:c", link)
    match = Match(0, 9, 1, 1, 9, [file, replace(file, in_dataset=False)], 1, False)
    assert _links(match, has_files=False) == [link if shown else None] * 2
    assert _links(match, has_files=True) == ([link] * 2 if shown else ["/file?repo=r&path=p&lines=1#L1", None])


def test_splits_and_other_names(browser, program):
    for split, status in (("train", "match"), ("held_out", "no_match"), (None, "match"), ("", "match")):
        told = program.post("/check", json={"text": INDENTED, "split": split}).json()
        assert told["status"] == status
        form = {"text": INDENTED, "split": split or "", "renamed": "on"}
        response = browser.post("/check", data=form)
        assert ("src/walrus.py" in page(response).text) == (status == "match")
        assert response.text.count(" checked") == 1
    assert "held out" in page(browser.post("/check", data={"text": OWN, "split": "held_out"})).text


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"split": "test"}, "split"),
        ({"split": ["train"]}, "split"),
        ({"renamed": 1}, "renamed"),
        ({"files": 0}, "files"),
    ],
    ids=["split", "list", "number", "files"],
)
def test_options_that_are_none(program, body, param):
    response = program.post("/check", json={"text": INDENTED, **body})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_check_of_text_in_other_ways(program):
    for content, kind in ((WANTED.encode(), "text/plain"), (WANTED.encode(), "text/plain; charset=utf-8")):
        response = program.post("/check", content=content, headers={"Content-Type": kind})
        assert len(response.json()["matches"]) == 1


def test_check_without_a_match(browser):
    assert "No match in the 2 repositories indexed" in page(browser.post("/check", data={"text": OWN})).text
    assert "Too short to say" in page(browser.post("/check", data={"text": "x = 1"})).text
    assert "Too short to say" in page(browser.post("/check", data={"text": ""})).text
    assert page(browser.get("/check")).tags.count("textarea") == 1


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_texts(browser, program, text):
    text = text.encode("utf-8", "replace").decode()
    for one in (text, WANTED + text + "\n" + WANTED):
        found = page(browser.post("/check", data={"text": one}))
        assert not {"img", "script"} & set(found.tags)
        assert found.tags.count("textarea") == 1
        assert program.post("/check", json={"text": one}).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"text": 5}', "application/json", 400),
        (b'{"text": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff\xfe", "text/plain", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"text=" + b"%ff" * 10, "application/x-www-form-urlencoded", 200),
        (b"a&" * 100, "application/x-www-form-urlencoded", 400),
        (b"x", "multipart/form-data; boundary=x", 415),
        (b"x", "image/png", 415),
    ],
)
def test_bodies_that_are_none(browser, program, content, kind, status):
    for one in (browser, program):
        response = one.post("/check", content=content, headers={"Content-Type": kind})
        assert response.status_code == status, response.text[:300]


def test_a_text_too_large(browser, program):
    response = program.post("/check", json={"text": "x" * 5_000_000})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
    assert "more than 5,000,000" in page(browser.post("/check", data={"text": "x" * 5_000_000}), 413).text


def test_a_large_text_is_a_small_page(browser):
    text = (OWN * 3 + WANTED) * 300 + "x = 1\n" * 20_000
    response = browser.post("/check", data={"text": text})
    found = page(response)
    assert "more lines" in found.text
    assert len(response.text) < 1_000_000
    assert response.text.count('class="row"') <= MOST_LINES + 1


def test_json_asks_by_post(program):
    assert program.get("/check").status_code == 405


# --- /report, and what is not there -------------------------------------------------------------------------------


def test_report(browser, program, full):
    response = browser.get("/report")
    assert response.content == (full / "report" / "index.html").read_bytes()
    policy = response.headers["content-security-policy"]
    assert "style-src 'unsafe-inline'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert program.get("/report").json()["kept_files"] == 27


@pytest.mark.parametrize(
    ("path", "command"),
    [("/search?q=x", "starloom index"), ("/check", "starloom index"), ("/report", "starloom report")],
)
def test_what_is_missing_is_told(empty, path, command):
    assert command in page(empty.get(path), 503).text
    response = empty.get(path + ("&" if "?" in path else "?") + "format=json")
    assert response.status_code in (400, 503)
    assert command.split()[-1] in response.json()["error"]["message"] or path == "/report"


def test_what_is_made_meanwhile_is_found(tmp_path):
    from starloom.stages import index_stages, load_settings
    from starloom.workspace.run import build

    source = building.folder(tmp_path / "s", {"LICENSE": building.MIT, "a.py": building.code("a", 20)})
    made = building.Workspace(tmp_path / "w", source)
    with client(make_app(made.root, None), Accept="application/json") as program:
        assert program.get("/search?q=def").status_code == 503
        settings = load_settings(made.build().root)
        build(made.root, index_stages(), settings, settings.engine, "test")
        assert program.get("/search?q=path:.py").json()["total"] == 1
        (source / "b.py").write_bytes(building.code("b", 20))
        made.build()
        build(made.root, index_stages(), settings, settings.engine, "test")
        assert program.get("/search?q=path:.py").json()["total"] == 2
        assert program.get("/").json()["headline"]["kept_files"] == 3
        (made.root / "search" / "manifest.json").write_text("{")
        assert program.get("/search?q=def").status_code == 503


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nothing", 404, "There is nothing at /nothing."),
        ("GET", "/a%3Cscript%3Ealert(1)%3C/script%3E", 404, "There is nothing at /a<script>alert(1)</script>."),
        ("GET", "/v1/nothing", 404, "There is nothing at /v1/nothing."),
        ("GET", "/v1/completions", 405, "GET is not for /v1/completions. it takes POST"),
        ("GET", "/overlap", 405, "GET is not for /overlap."),
        ("DELETE", "/check", 405, "DELETE is not for /check."),
        ("POST", "/check", 415, "Image/png is not read here."),
    ],
)
def test_a_browser_is_told_what_it_asked_and_where_to_go(browser, program, method, path, status, words):
    kind = {"Content-Type": "image/png"}
    found = page(browser.request(method, path, headers=kind), status)
    assert words in " ".join(found.text.split())
    assert "script" not in found.tags
    assert found.links.count("/") == 2  # the name above, and a sentence
    assert ("Ask again" in found.text) == (path == "/check")
    for one in (
        program.request(method, path, headers=kind),
        browser.request(method, path + "?format=json", headers=kind),
    ):
        assert one.status_code == status
        assert one.json()["error"]["message"]


def test_a_bug_is_a_page_too(full, completer):
    class Broken:
        @property
        def name(self):
            raise RuntimeError("secret")

    with client(make_app(full, Broken()), Accept="text/html") as browser:
        browser._transport.raise_server_exceptions = False
        response = browser.get("/")
    assert "Something went wrong" in page(response, 500).text
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


def test_a_server_without_pages_has_none_for_what_goes_wrong(cut):
    with client(make_app(cut, None, numbers=frozenset([0])), Accept="text/html") as browser:
        response = browser.get("/")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "there is nothing at /"


# --- marked text -----------------------------------------------------------------------------------------------------


@given(
    st.text(alphabet="ab \t\n\r", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=5),
)
def test_marked_lines_are_the_text(text, places):
    spans = sorted(Span(start, start + length, number) for number, (start, length) in enumerate(places, 1))
    lines = marked_lines(text, spans, 7)
    rows = text.removesuffix("\n").split("\n")
    assert [line.number for line in lines] == list(range(7, 7 + len(rows)))
    at = 0
    for line, row in zip(lines, rows):
        shown = "".join(piece.text for piece in line.pieces)
        assert shown == row.removesuffix("\r").replace("\t", "    ")
        for piece in line.pieces:
            assert piece.text
        marked = {
            number
            for number in range(len(row))
            if row[number] in "ab" and any(span.start <= at + number < span.end for span in spans)
        }
        letters = [(letter, bool(piece.mark)) for piece in line.pieces for letter in piece.text if letter in "ab"]
        places_of_letters = [number for number in range(len(row)) if row[number] in "ab"]
        assert [(row[number], number in marked) for number in places_of_letters] == letters
        at += len(row) + 1
    begun = [piece.mark for line in lines for piece in line.pieces if piece.begins]
    assert len(begun) == len(set(begun))


def test_marks_across_lines():
    (one, two, _) = marked_lines("a bc\n  de\nf", [Span(2, 8, 1)])
    assert one.pieces == [("a ", 0, False), ("bc", 1, True)]
    assert two.pieces == [("  ", 0, False), ("d", 1, False), ("e", 0, False)]


def test_neighbourhoods():
    text = "".join(f"line {number}\n" for number in range(1, 201))
    at = text.index("line 100\n")
    shown = neighbourhoods(marked_lines(text, [Span(at, at + 8, 1)]))
    assert [line.number for line in shown] == [None, 97, 98, 99, 100, 101, 102, 103, None]
    assert (shown[0].pieces, shown[-1].pieces) == ("96 more lines", "97 more lines")
    assert len(neighbourhoods(marked_lines("x\n" * 50, [Span(0, 1, 1)]))) == 50
    assert len(neighbourhoods(marked_lines("x\n" * 9_000, []))) == MOST_LINES + 1
    assert json.dumps(neighbourhoods([])) == "[]"

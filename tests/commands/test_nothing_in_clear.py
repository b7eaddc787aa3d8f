"""Values planted in a workspace are in no output of any command: not in clear, wherever source text is shown.

The cache of contents holds them, as it must: what is found is a span, and only `write` applies it.
"""

import json

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from starloom.privacy.find import find_in
from starloom.server.app import make_app
from the_stack import building

# Assembled from parts, so that nobody's scanner takes them for real ones.
EMAIL = "grace.hopper" + "@" + "cobol-museum.dev"
ADDRESS = "203.0." + "114.77"
AWS = "AKIA" + "Q3ZN7WYB2KD5RJ6T"
PASSWORD = "m3llow-Tr4ctor" + "-pond"
TOKEN = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"
URL_PASSWORD = "Zq8" + "vKe2Lw9xT"
VALUES = (EMAIL, ADDRESS, AWS, PASSWORD, TOKEN, URL_PASSWORD)
PLANTED = f"""
walrus_contact = "{EMAIL}"
walrus_server = "{ADDRESS}"
walrus_aws = "{AWS}"
walrus_password = "{PASSWORD}"
walrus_stripe = "{TOKEN}"
walrus_database = "postgresql://walrus:{URL_PASSWORD}@db.cobol-museum.dev/tusks"
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A file with all of them, a near-duplicate in which their lines differ, and files that rules drop for lines with
    one of them."""
    base = tmp_path_factory.mktemp("planted")
    code = building.code("walrus", 60).decode()
    files = {
        "LICENSE": building.MIT,
        "first.py": (code + PLANTED).encode(),
        "second.py": (code + PLANTED.replace(" = ", "  =  ") + "\nlast_walrus = 1\n").encode(),
        "long.py": (f"walrus = '{EMAIL} {TOKEN}'\n" + "x = '" + "abc def " * 200 + f"' # {EMAIL} {AWS}\n").encode(),
        "kept.py": (building.code("kept", 30).decode() + PLANTED.replace("walrus", "mammoth")).encode(),
        "latin.py": (f"# Größe: {EMAIL}\n" + building.code("latin", 30).decode()).encode("latin-1"),
    }
    made = building.Workspace(base / "w", building.git_repository(base / "one", files))
    settings = made.root / "starloom.toml"
    settings.write_text(settings.read_text() + "\n[tokenizer]\nvocabulary = 400\n")
    return made.root


def test_the_values_are_found():
    found = {PLANTED[one.start : one.end] for one in find_in(PLANTED)}
    assert found == set(VALUES)


def in_clear(*texts):
    return [value for value in VALUES for text in texts if value in text]


def test_in_no_output(cli, planted, tmp_path):
    file = tmp_path / "own.py"
    file.write_text(building.code("walrus", 60).decode() + PLANTED)
    wide = "SELECT * FROM files"
    for arguments in [
        ["build"],
        ["status", "--json"],
        ["why", "second.py", "--diff", "1000"],
        ["why", "second.py", "--diff", "1000", "--json"],
        ["why", "first.py"],
        ["ledger", "--sql", wide, "--json"],
        ["tune", "long-line", "--json"],
        ["report"],
        ["index"],
        ["tokenizer"],
        ["pack"],
        ["search", "walrus_password"],
        ["search", "mammoth_aws", "--json"],
        ["check", str(file), "--all"],
        ["check", str(file), "--all", "--json"],
        ["detect", str(file), "--json"],
        ["dedup", str(file.parent), "--json"],
        ["compare", "diff", ".", str(file.parent), "--json"],
        ["verify", "."],
    ]:
        done = cli(*arguments, cwd=planted)
        assert done.returncode == 0, (arguments, done.stderr[-2000:] if not in_clear(done.stderr) else "")
        assert in_clear(done.stdout, done.stderr) == [], arguments
    found = json.loads(cli("search", "mammoth_password", "--json", cwd=planted).stdout)
    assert found["total"] == 1  # what is searched for is there
    for page in (planted / "report").rglob("*"):
        assert not page.is_file() or in_clear(page.read_text(errors="replace")) == [], page


def test_in_nothing_that_is_handed_on(cli, planted):
    """The dataset, the indexes and the tokenizer hold none of them; the ledger says what was replaced."""
    for arguments in (["build"], ["index"], ["tokenizer"], ["pack"]):
        assert cli(*arguments, cwd=planted).returncode == 0
    files = pq.read_table(planted / "dataset" / "files").to_pylist()
    assert {"first.py", "kept.py", "latin.py"} <= {one["path"] for one in files} | {"second.py"}
    assert in_clear(*(one["content"] for one in files)) == []
    assert any("<EMAIL>" in one["content"] for one in files)
    for folder in ("dataset", "search", "membership", "tokenizer", "tokens", "ledger", "pairs", "signals", "listing"):
        for path in (planted / folder).rglob("*"):
            if path.is_file():
                assert in_clear(path.read_bytes().decode("latin-1")) == [], path
    ledger = {one["path"]: one for one in pq.read_table(planted / "ledger" / "ledger.parquet").to_pylist()}
    assert (ledger["kept.py"]["verdict"], ledger["kept.py"]["rule"]) == ("changed", "redaction")
    assert ledger["kept.py"]["value"] == "1 EMAIL, 1 IP_ADDRESS, 2 KEY, 2 PASSWORD"
    assert ledger["latin.py"]["value"] == "1 EMAIL; WINDOWS-1252"


def test_on_no_page(cli, planted):
    for arguments in (["build"], ["index"], ["report"]):
        assert cli(*arguments, cwd=planted).returncode == 0
    with TestClient(make_app(planted, None), base_url="http://127.0.0.1") as client:
        for address in ("/", "/search?q=walrus_password", "/search?q=mammoth_aws", "/report"):
            assert in_clear(client.get(address).text) == []


def test_raw_shows_what_the_file_holds(cli, planted):
    """On the machine that has the files already, for who asks: so the tests above can fail."""
    assert cli("build", cwd=planted).returncode == 0
    shown = cli("why", "second.py", "--diff", "1000", "--raw", cwd=planted)
    other = cli("why", "first.py", "--diff", "1000", "--raw", cwd=planted)
    assert set(in_clear(shown.stdout + other.stdout)) == set(VALUES)

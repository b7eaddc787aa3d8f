"""The documentation names only what is there: commands, files, settings; the reference is what the code says."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from starloom.commands import group
from starloom.settings import load
from starloom.stages import Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    known = set(group.list_commands(None))
    for name in re.findall(r"(?:^\s*\$? ?|`|bin/)starloom ([a-z][\w-]*)", page.read_text(), re.MULTILINE):
        assert name in known, f"{page.name} names `starloom {name}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_settings_in_the_readme_are_accepted():
    tables = [tomllib.loads(text) for kind, text in BLOCK.findall((ROOT / "README.md").read_text()) if kind == "toml"]
    assert tables
    for table in tables:
        load(table, Settings, "README.md")


def test_the_reference_is_what_the_code_says():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_page_names_this_machine():
    for page in PAGES:
        assert not re.search(r"/(?:work|root|tmp/\w+-ws)\b/", page.read_text()), page.name

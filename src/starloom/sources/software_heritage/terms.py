"""What the Software Heritage archive asks of those who train models on it, and how gently its store is asked.

Its principles are shown before the first preparation. More than FREE distinct contents are fetched from the public
store only under an agreement, which the settings name; a copy elsewhere (`contents = "…"`) is its owner's affair.
"""

import urllib.parse
from pathlib import Path

from starloom.errors import UserError
from starloom.outside.http import HttpSettings
from starloom.sources.prepared import FILES_FILE
from starloom.sources.repository import Place, SourceSettings
from starloom.sources.software_heritage.store import StoreReader

CONTENTS = "s3://softwareheritage/content"  # the public archive's objects
FREE = 1_000  # distinct contents that may be fetched from the public archive without an agreement
PER_SECOND = 20.0  # requests to the public archive, of all workers together
TERMS = """\
The Software Heritage archive asks of those who train models on it (principles of 19 October 2023):
1. the models are given back under an open licence, with documentation and tools;
2. the initial training data is named fully and precisely, for example by SWHIDs;
3. authors can, where possible, have their code left out before training.
Its ethical charter and its terms for bulk access hold; contents in bulk need an agreement with Software Heritage."""


def contents_url(settings: SourceSettings) -> str:
    """Where contents lie: where the settings say, else in the public archive."""
    return settings.contents or CONTENTS


def reader(settings: SourceSettings, place: Place) -> StoreReader:
    """The contents at `contents_url`, slowly where it is the public archive."""
    url = contents_url(settings)
    per_second = PER_SECOND / max(place.engine.workers, 1) if is_public(url) else 0.0
    return StoreReader(url, HttpSettings(per_second=per_second), place.max_bytes)


def is_public(url: str) -> bool:
    """Whether it is the archive's own store, by whichever of its names."""
    parts = urllib.parse.urlsplit(url)
    host, first = parts.hostname or "", parts.path.strip("/").partition("/")[0]
    if parts.scheme == "s3":
        return host == "softwareheritage"
    amazon = host == "amazonaws.com" or host.endswith(".amazonaws.com")
    return (
        (amazon and (host.startswith("softwareheritage.") or first == "softwareheritage"))
        or host == "softwareheritage.org"
        or host.endswith(".softwareheritage.org")
    )


def check_terms(settings: SourceSettings, place: Place, prepared: Path) -> None:
    """Raises UserError where the repositories prepared in a folder would fetch too much without an agreement."""
    url = contents_url(settings)
    if settings.agreement.strip() or not is_public(url):
        return
    sql = "SELECT count(DISTINCT content_id) AS number FROM files WHERE size <= $most"
    number = place.engine.table(sql, {"files": [prepared / FILES_FILE]}, {"most": place.max_bytes})["number"][0].as_py()
    if number > FREE:
        raise UserError(
            f"{number:,} contents would be fetched from the Software Heritage archive ({url}) without an agreement; "
            f"{FREE:,} may be.\n{TERMS}",
            'agree with them, then name the agreement: `agreement = "REFERENCE"` at this source in starloom.toml; '
            'or set `contents = "…"` to a copy of your own, or `select = "https://github.com/OWNER/"` to less',
        )

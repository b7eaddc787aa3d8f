"""What the members of an archive state about the licence of the whole: METADATA of a wheel, PKG-INFO of a source
distribution, package.json of an npm package. Read as text while the archive is listed; nothing of it is run.
"""

import json
import re
from typing import Any

from starloom.sources.distributions import METADATA_LIMIT, parse_metadata
from starloom.sources.repository import LicenseMetadata

_STATES = re.compile(rb"[^/]+\.dist-info/METADATA|[^/]+/PKG-INFO|package/package\.json")
_MOST = 100  # members looked at


class Statements:
    """Filled with the members that `wants` picks."""

    def __init__(self) -> None:
        self._found: dict[bytes, LicenseMetadata] = {}

    def wants(self, raw: bytes) -> bool:
        """Whether the member at `raw` may state the licence."""
        return _STATES.fullmatch(raw) is not None and len(self._found) < _MOST

    def add(self, raw: bytes, data: bytes) -> None:
        """A member that was wanted."""
        if len(data) <= METADATA_LIMIT:
            self._found[raw] = npm_license(data) if raw.endswith(b".json") else parse_metadata(data).license

    def stated(self, top: bytes) -> LicenseMetadata:
        """What is stated of the whole, by the member that stands where it must; `top`: the folder that all are in."""
        wheels = [one for raw, one in self._found.items() if raw.endswith(b"/METADATA")]
        if len(wheels) == 1:
            return wheels[0]
        name = b"package/package.json" if top == b"package/" else top + b"PKG-INFO"
        return self._found.get(name, LicenseMetadata())


def npm_license(data: bytes) -> LicenseMetadata:
    """The `license` of a package.json; of old ones an object with a type, or a list of them to choose from."""
    try:
        package = json.loads(data)
    except (ValueError, RecursionError):
        return LicenseMetadata()
    if not isinstance(package, dict):
        return LicenseMetadata()
    stated = package.get("license", package.get("licenses"))
    named = [one for one in map(_named, stated if isinstance(stated, list) else [stated]) if one]
    return LicenseMetadata(expression=" OR ".join(named)) if named else LicenseMetadata()


def _named(stated: Any) -> str | None:
    if isinstance(stated, dict):
        stated = stated.get("type", stated.get("name"))
    if not isinstance(stated, str):
        return None
    return stated.encode("utf-8", "backslashreplace").decode().strip()  # JSON can spell lone surrogates

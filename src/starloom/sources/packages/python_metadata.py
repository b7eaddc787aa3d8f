"""What a Python archive says of itself: METADATA of a wheel, PKG-INFO of a source distribution.

Read once, when it is fetched, as the index says nothing of it: licence, home page, source repository. Cost: one pass
over the archive up to that member. A damaged archive says nothing here; listing it tells what is wrong.
"""

import email.parser
import email.policy
import re
from pathlib import Path
from typing import Final

from starloom.sources.archives.rows import FILE
from starloom.sources.archives.stream import ArchiveError, open_regular, open_stream
from starloom.sources.archives.tar import members
from starloom.sources.archives.zip import MAGICS, Zip
from starloom.sources.distributions import METADATA_LIMIT, parse_metadata
from starloom.sources.packages.release import Description, web_address

_STATES: Final = re.compile(rb"[^/]+/PKG-INFO|[^/]+\.dist-info/METADATA")
_SOURCE: Final = ("source", "sourcecode", "repository", "code", "github", "gitlab", "sourcerepository")


def describe(path: Path) -> Description:
    """The description in the archive at `path`."""
    try:
        data = _metadata(path)
    except (ArchiveError, OSError):
        data = None
    if data is None:
        return Description()
    metadata = parse_metadata(data)
    return Description(source_repository(data), web_address(metadata.home_page), metadata.license)


def source_repository(data: bytes) -> str | None:
    """The address under one of the labels that mean the source repository (`Project-URL: Source, https://…`)."""
    message = email.parser.HeaderParser(policy=email.policy.compat32).parsestr(data.decode("utf-8", "replace"))
    stated: dict[str, str] = {}
    for one in message.get_all("Project-URL", []):
        label, _, url = str(one).partition(",")
        if address := web_address(url.strip()):
            stated.setdefault(re.sub(r"[\W_]+", "", label).lower(), address)
    return next((stated[label] for label in _SOURCE if label in stated), None)


def _metadata(path: Path) -> bytes | None:
    with open_regular(path) as file:
        head = file.read(4)
        file.seek(0)
        if head.startswith(MAGICS):
            archive = Zip(file)
            for member in archive.members():
                if _states(member.raw, member.kind, member.size):
                    data = archive.read(member.place)
                    return data if isinstance(data, bytes) else None
            return None
        stream = open_stream(file)
        for one in members(stream):
            if _states(one.raw, one.kind, one.size):
                return stream.read(one.size)
    return None


def _states(raw: bytes, kind: int, size: int) -> bool:
    return kind == FILE and size <= METADATA_LIMIT and _STATES.fullmatch(raw) is not None

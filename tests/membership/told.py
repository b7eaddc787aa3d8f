"""Answers made by hand: files, matches and checks for the tests of what is done with them."""

from starloom.membership import license_of
from starloom.membership.answers import Answer
from starloom.membership.given import Given
from starloom.membership.matches import Check, Licensed, Match, MatchedFile

TYPES = {"MIT": "permissive", "Apache-2.0": "permissive", "": "no_license"}


def file(repo="one", path="a.py", license="MIT", **more):
    told = {
        "content_id": "0" * 40,
        "revision_id": None,
        "url": None,
        "language": "Python",
        "split": "train",
        "in_dataset": True,
        "start": 0,
        "end": 200,
        "first_line": 1,
        "last_line": 9,
        "swhid": f"swh:1:cnt:{'0' * 40}",
        "permalink": None,
    }
    told["license_type"] = TYPES.get(license, "non_permissive")
    told["detected_licenses"] = (license,) if license else ()
    return MatchedFile(repo, path, **told | more)


def match(*files, start=0, end=200, first_line=1, last_line=9, characters=None, **more):
    """A match of these files; their licences as `Index` tells them."""
    counted = {}
    for one in files:
        key = license_of.name(one), one.license_type
        counted[key] = counted.get(key, 0) + 1
    size = end - start if characters is None else characters
    told = {
        "licenses": [Licensed(*key, size, number) for key, number in counted.items()],
        "total": len(files),
        "common": False,
    }
    return Match(start, end, first_line, last_line, size, list(files), **told | more)


def check(*matches, characters=1000, status=None, **more):
    """The check that has these matches."""
    found = status or ("match" if matches else "no_match")
    told = {"coverage": 0.5 if matches else 0.0, "seconds": 0.001, "repositories": 3}
    licenses = {}
    for one in matches:
        for licensed in () if one.common else one.licenses:
            licenses[licensed.name, licensed.license_type] = licensed
    told["licenses"] = list(licenses.values())
    verdict = "match in the 3 repositories indexed" if found == "match" else found
    return Check(found, verdict, characters=characters, matches=list(matches), **told | more)


def answer(*matches, path="mine.py", text="x" * 1000, **more):
    return Answer(Given(path, text), check(*matches, **more))


class FakeIndex:
    """Answers every text with what `found` gives for it."""

    covered = "the 3 repositories indexed"
    width = 50

    def __init__(self, found):
        self._found = found

    def check(self, text, files=20, *, split=None, renamed=False):
        return self._found(text)

    def check_many(self, texts, files=20, *, split=None, renamed=False):
        return map(self._found, texts)

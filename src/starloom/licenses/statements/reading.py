"""Which metadata files there are, what folder they speak for, and who reads them."""

import re
from collections.abc import Callable

from starloom.licenses.statements import dep5, fields, json_files, readme, toml_files, xml_files
from starloom.licenses.statements.statement import MAX_LENGTH, Statement, folder
from starloom.licenses.verdict import NO_ASSERTION

_Reader = Callable[[str], tuple[Statement, ...]]

_BY_NAME: dict[str, _Reader] = {
    "PKG-INFO": fields.python,
    "METADATA": fields.python,
    "pyproject.toml": toml_files.pyproject,
    "setup.cfg": toml_files.setup_cfg,
    "package.json": json_files.package,
    "composer.json": json_files.composer,
    "Cargo.toml": toml_files.cargo,
    "pom.xml": xml_files.pom,
    "DESCRIPTION": fields.r_description,
    "REUSE.toml": toml_files.reuse_toml,
    "copyright": dep5.dep5,
    "dep5": dep5.dep5,
}
_BY_ENDING: dict[str, _Reader] = {".cabal": fields.cabal, ".gemspec": fields.gemspec, ".pom": xml_files.pom}
_IN_FOLDER = {"copyright": "debian", "dep5": ".reuse"}  # what these names mean nothing outside of
_README = re.compile(
    r"readme(?:(?:[._-][a-z]{2,3}(?:[_-][a-z]{2,4})?)?\.(?:md|markdown|mkd|rst|txt|adoc|org|rdoc))?", re.IGNORECASE
)


def statements(file_name: str, text: str) -> tuple[Statement, ...]:
    """What a metadata file (a base name will do, a path is better) says about licences; () for any other file.

    >>> statements("package.json", '{"license": "MIT"}')[0].expression
    'MIT'
    """
    reader = _reader(file_name)
    if reader is None:
        return ()
    if len(text) > MAX_LENGTH:
        likely = reader is not readme.readme and re.search(r"licen[cs]e", text[:50_000], re.IGNORECASE)
        return folder(NO_ASSERTION, 1, "too large to read") if likely else ()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if reader is _SIDECAR:
        return dep5.sidecar(file_name, text)
    return reader(text)


def is_metadata(path: str) -> bool:
    """Whether `statements` may have something to read there.

    >>> [is_metadata(path) for path in ("a/Cargo.toml", "debian/copyright", "copyright", "x.py.license", "x.py")]
    [True, True, False, True, False]
    """
    folder_name, _, name = path.rpartition("/")
    parent = folder_name.rpartition("/")[2]
    if name in _IN_FOLDER:
        return parent == _IN_FOLDER[name]
    if name == "METADATA":
        return parent.endswith(".dist-info")
    return _reader(name) is not None


def may_be_metadata(file_name: str) -> bool:
    """Whether a file of this base name is metadata, in some folder at least."""
    return file_name in _IN_FOLDER or file_name == "METADATA" or is_metadata(file_name)


def base(path: str) -> str:
    """The folder that a metadata file speaks for, without a slash at its end; "" is the top.

    >>> base("a/package.json"), base("debian/copyright"), base("a/.reuse/dep5"), base("x/y.egg-info/PKG-INFO")
    ('a', '', 'a', 'x')
    """
    folder_name, _, name = path.rpartition("/")
    above, _, parent = folder_name.rpartition("/")
    if (name in _IN_FOLDER and parent == _IN_FOLDER[name]) or parent.endswith((".dist-info", ".egg-info")):
        return above
    return folder_name


def _sidecar(_text: str) -> tuple[Statement, ...]:
    return ()  # it needs the name; see `statements`


_SIDECAR: _Reader = _sidecar


def _reader(file_name: str) -> _Reader | None:
    name = file_name.rpartition("/")[2]
    if reader := _BY_NAME.get(name):
        return reader
    dot = name.rfind(".")
    if dot > 0:
        ending = name[dot:].lower()
        if reader := _BY_ENDING.get(ending):
            return reader
        if ending == ".license":
            return _SIDECAR
    return readme.readme if name[:6].lower() == "readme" and _README.fullmatch(name) else None

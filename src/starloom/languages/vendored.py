"""What a path tells of a file: copied from another project, documentation, or a test.

Our own rules, from folder and file names alone; The Stack v2's `is_vendor` came from go-enry, with Linguist's
patterns, so single files differ. Paths are relative to their repository: a file of a package that was installed
into `site-packages` is not vendored in its own package.
Cost: 1-3 µs a path each, 4-6 µs for all three at once (2 shared cores, 2026). Folders are looked up in sets, which
is several times faster than searching a path for their pattern.
"""

import re
from typing import NamedTuple

# Folder names, lower case, at any depth.
_VENDOR_FOLDERS = frozenset(
    [
        "vendor",
        "vendors",
        "vendored",
        "_vendor",
        "_vendored",
        "_vendored_packages",
        "third_party",
        "third-party",
        "thirdparty",
        "3rdparty",
        "3rd_party",
        "3rd-party",
        "extern",
        "external",
        "externals",
        "_extern",
        "node_modules",
        "bower_components",
        "jspm_packages",
        "web_modules",
        "godeps",
        "carthage",
        "pods",
        "site-packages",
        "dist-packages",
        ".yarn",
        ".bundle",
        "virtualenv",
        ".venv",
        "submodules",
        "subprojects",
        "deps",
        "packrat",
        "renv",
        "thirdparties",
        "third_parties",
        "third-parties",
        "_third_party",
        "3rd",
        "extlib",
        "extlibs",
        "ext-libs",
        "venv",
        ".eggs",
        ".gradle",
        ".cargo",
        "elm-stuff",
        "jspm_modules",
        "typings",
        "wp-admin",
        "wp-includes",
        "tinymce",
        "ckeditor",
        "fckeditor",
        "mathjax",
        "extjs",
    ]
)
# Libraries that consist of a file or two, lower case: copies, unless the project is their own, where they stand at its
# root or in a folder of sources.
_SINGLE_FILES = frozenset(
    [
        "bottle.py",
        "cjson.c",
        "cjson.h",
        "catch_amalgamated.cpp",
        "catch_amalgamated.hpp",
        "glad.c",
        "glad.h",
        "gmock-gtest-all.cc",
        "greatest.h",
        "httplib.h",
        "imgui.cpp",
        "imgui.h",
        "imgui_draw.cpp",
        "imgui_internal.h",
        "imgui_tables.cpp",
        "imgui_widgets.cpp",
        "jsmn.c",
        "jsmn.h",
        "json.hpp",
        "khash.h",
        "khrplatform.h",
        "kseq.h",
        "kvec.h",
        "linenoise.c",
        "linenoise.h",
        "lodepng.c",
        "lodepng.cpp",
        "lodepng.h",
        "miniz.c",
        "miniz.h",
        "mongoose.c",
        "mongoose.h",
        "munit.c",
        "munit.h",
        "nuklear.h",
        "picojson.h",
        "pugiconfig.hpp",
        "pugixml.cpp",
        "pugixml.hpp",
        "six.py",
        "tinyxml.cpp",
        "tinyxml.h",
        "tinyxml2.cpp",
        "tinyxml2.h",
        "uthash.h",
        "utlist.h",
    ]
)
_OWN_FOLDERS = frozenset(["include", "lib", "single_include", "source", "src"])

# Files that are nearly always a copy: names, matched from the start, lower case.
_VENDOR_NAME = re.compile(
    r"""(?:
    # Libraries of the web with names of their own.
    (?: jquery | bootstrap | angular | react | react-dom | vue | backbone | ember | lodash | underscore | mootools
      | dojo | ext-all | d3 | three | raphael | modernizr | require | moment | knockout | handlebars | mustache
      | html5shiv | html5shiv-printshiv | es5-shim | socket\.io | codemirror | tinymce | ckeditor | highlight\.pack
      | prettify | shcore | swfobject | leaflet | zepto | select2 | datatables | fullcalendar | popper | fontawesome
      | font-awesome | materialize | bulma )
    (?: [.-] v?\d[\w.-]* )? (?: [.-] (?:min|slim|full|bundle|all|core|pack|prod|production|pkgd|umd) )*
    \.(?: js | css | mjs )
    # Libraries named like anybody's file: only with a version, or minified.
    | (?: prototype | less | respond | html5 | chart | ace | hammer | polyfill | normalize | animate | foundation
      | semantic )
    [.-] (?: v?\d[\w.-]* | min ) \.(?: js | css | mjs )
    | (?: normalize | animate )\.css
    | jquery [.-][\w.-]* \.(?:js|css)  # its plugins
    # What a build tool put there.
    | gradlew (?:\.bat)? | mvnw (?:\.cmd)? | gradle-wrapper\.properties | maven-wrapper\.properties
    | mavenwrapperdownloader\.java | ltmain\.sh | libtool\.m4 | config\.(?:guess|sub) | install-sh | depcomp | missing
    | lt(?:options|sugar|version|~obsolete)\.m4 | ax_\w+\.m4 | pkg\.m4 | gnulib-\w+\.m4 | texinfo\.tex | ar-lib | ylwrap
    | mdate-sh | mkinstalldirs | py-compile | test-driver | gtk-doc\.make | get-pip\.py | distribute_setup\.py
    | ez_setup\.py | versioneer\.py
    # Libraries of one file.
    | catch\.hpp | doctest\.h | gtest-all\.cc | gtest\.h | gmock\.h | sqlite3(?:ext)?\.[ch] | stb_\w+\.h
    )\Z""",
    re.VERBOSE,
)
_MAX_NAME = 255  # characters; longer ones are no file names on Linux, and the pattern is quadratic at worst
# Names the pattern above cannot match without: the file's ending or one of the few others.
_VENDOR_ENDS = (".js", ".css", ".mjs", ".h", ".hpp", ".c", ".cc", ".m4", ".sh", ".py", ".bat", ".cmd", ".java", ".tex")
_VENDOR_OTHERS = frozenset(
    [
        "gradlew",
        "mvnw",
        "gradle-wrapper.properties",
        "maven-wrapper.properties",
        "config.guess",
        "config.sub",
        "install-sh",
        "depcomp",
        "missing",
        "ar-lib",
        "ylwrap",
        "mdate-sh",
        "mkinstalldirs",
        "py-compile",
        "test-driver",
        "gtk-doc.make",
    ]
)

# Example folders are not here: they hold code that was written to be read, for us as good as any other.
_DOCUMENTATION_FOLDERS = frozenset(
    ["doc", "docs", "documentation", "javadoc", "apidoc", "apidocs", "man", "manual"]
    + ["doc-src", "docsrc", "doxygen", "handbook", "javadocs", "manpages", "userguide", "wiki"]
    + [f"man{section}" for section in range(1, 10)]
)
# The papers at a project's root. These are so whatever follows (LICENSE-MIT, README.ja), but for code's endings.
_PAPER = re.compile(r"(?:readme|licen[cs]e|copying|copyright|notice|changelog|changes)(?:[._-].*)?\Z", re.DOTALL)
# These are common words for code too ("security.py", a script "install"): only with an ending of prose, or capital.
_MAYBE_PAPER = re.compile(
    r"""(?:history | news | contributing | contributors | authors | maintainers | code[_-]of[_-]conduct | security
    | governance | support | install | installing | installation | upgrading | upgrade | migrating | migration
    | credits | thanks | todo | roadmap
    | bugs | patents | citation | announce | errata | acknowledge?ments | whats[_-]?new
    | releasing | release[_-]notes | hacking | faq)(?:\.\w+)?\Z""",
    re.VERBOSE,
)
_PROSE_ENDS = frozenset(["md", "markdown", "rst", "txt", "adoc", "asciidoc", "org", "textile", "rdoc", "html", "pod"])
# Notice.tsx and License.dart are components, license.json is data.
_CODE_END = re.compile(
    r"(?:cc?|cpp|cs|css|dart|ex|exs|go|h|hpp|java|[cm]?[jt]sx?|json|kt|lua|mm?|php|pl|py|rb|rs|scala|sh|swift|toml|vue"
    r"|xml|ya?ml)\Z"
)

_TEST_FOLDERS = frozenset(
    [
        "test",
        "tests",
        "__tests__",
        "__mocks__",
        "__snapshots__",
        "testdata",
        "test_data",
        "test-data",
        "testing_data",
        "fixtures",
        "__fixtures__",
        "unittest",
        "unittests",
        "unit_tests",
        "unit-tests",
        "integration_tests",
        "integration-tests",
        "e2e",
        "androidtest",
        "regress",
        "__test__",
        "acceptance_tests",
        "commontest",
        "cypress",
        "functional_tests",
        "functional-tests",
        "integrationtest",
        "integrationtests",
        "iostest",
        "jstest",
        "jvmtest",
        "nativetest",
        "sharedtest",
        "test-cases",
        "test_cases",
        "test-fixtures",
        "test_fixtures",
        "test_helpers",
        "test-suite",
        "testcases",
        "testsuite",
        "testsuites",
        "xt",
    ]
)
# Folders of tests for some languages only: specifications, single letters.
_SOME_TEST_FOLDERS = {
    "spec": (".rb", ".js", ".ts", ".coffee", ".lua", ".cr", ".php"),
    "specs": (".rb", ".js", ".ts", ".coffee", ".lua", ".cr", ".php"),
    "t": (".t", ".pl", ".pm", ".rakutest"),
}
# As written: in CamelCase names "Test" is a word, in "latest.java" it is not.
_TEST_NAME = re.compile(
    r"""(?:
    test_[^/]*\.(?:py|pyx|c|cc|cpp|rb|jl|lua|sh|php|nim|ml) | tests?\.(?:py|rs|js|ts|go|rb|c|cpp|lua) | conftest\.py
    | [^/]+[._-](?:test|tests|spec|specs|unittest)
      \.(?:[cm]?[jt]sx?|py|go|rb|cc|cpp|c|h|exs|dart|lua|rs|coffee|php|cljs?|cljc
         |cr|ex|jl|nim|v|zig|hs|ml|sh|vue|svelte|m|mm|erl|el)
    | test[-.][^/]*\.(?:[cm]?[jt]sx?|R|r|sh|py|el) | tests_[^/]*\.py
    | Test[A-Z]\w*\.(?:java|kt|groovy|php|cs|scala|swift)
    | [^/]+\.(?:bats|feature|phpt|cy\.[jt]sx?|e2e-spec\.ts)
    | spec_helper\.rb | test_helper\.\w+
    | (?:[A-Z]\w*)?(?:Test|Tests|TestCase|Spec|IT)\.(?:java|kt|scala|groovy|cs|swift|php|m|mm|hs|vb|fs)
    | [^/]*_SUITE\.erl
    )\Z""",
    re.VERBOSE,
)


class PathFacts(NamedTuple):
    """All three facts of one path; the published columns of these names."""

    is_vendor: bool
    is_documentation: bool
    is_test: bool


def path_facts(path: str) -> PathFacts:
    """The three facts at the cost of one splitting."""
    folders, name, lower_name = _parts(path)
    return PathFacts(_is_vendor(folders, lower_name), _is_documentation(folders, name), _is_test(folders, name))


def is_vendor(path: str) -> bool:
    """Whether the file looks copied from another project: in a folder for such copies, or a library's usual name."""
    folders, _, lower_name = _parts(path)
    return _is_vendor(folders, lower_name)


def is_documentation(path: str) -> bool:
    """Whether the file is in a documentation folder, or is one of the papers at a project's root (README, LICENSE)."""
    folders, name, _ = _parts(path)
    return _is_documentation(folders, name)


def is_test(path: str) -> bool:
    """Whether the file is in a folder of tests or their data, or named as its language's test runners expect."""
    folders, name, _ = _parts(path)
    return _is_test(folders, name)


def _parts(path: str) -> tuple[list[str], str, str]:
    """Folders in lower case, the name as written, the name in lower case."""
    *folders, lower_name = path.lower().split("/")
    return folders, path.rpartition("/")[2], lower_name


def _is_vendor(folders: list[str], name: str) -> bool:
    if not _VENDOR_FOLDERS.isdisjoint(folders):
        return True
    if name in _SINGLE_FILES:
        return bool(folders) and folders[0] not in _OWN_FOLDERS
    if not (name.endswith(_VENDOR_ENDS) or name in _VENDOR_OTHERS) or len(name) > _MAX_NAME:
        return False
    return _VENDOR_NAME.match(name) is not None


def _is_documentation(folders: list[str], name: str) -> bool:
    if not _DOCUMENTATION_FOLDERS.isdisjoint(folders):
        return True
    lower = name.lower()
    _, dot, last = lower.rpartition(".")
    if _PAPER.match(lower):
        return not dot or _CODE_END.match(last) is None
    if _MAYBE_PAPER.match(lower):
        return last in _PROSE_ENDS if dot else name[0].isupper()
    return False


def _is_test(folders: list[str], name: str) -> bool:
    if not _TEST_FOLDERS.isdisjoint(folders):
        return True
    if any(name.endswith(ends) and folder in folders for folder, ends in _SOME_TEST_FOLDERS.items()):
        return True
    return len(name) <= _MAX_NAME and _TEST_NAME.match(name) is not None

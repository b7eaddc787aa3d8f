"""What files import of their repository: a table a language, what hostile files cost, and that any text is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.languages.imports import graph
from starloom.languages.imports.rust import uses
from starloom.languages.imports.tree import above, folder_of, joined


def imports(files):
    """{path: paths of what it imports, those of packages one by one} of those that import something."""
    paths = list(files)
    edges = graph.imports(list(files.items()))
    found = {}
    for path, numbers in zip(paths, edges, strict=False):
        members = [m for number in numbers for m in ([number] if number < len(paths) else edges[number])]
        if members:
            found[path] = {paths[number] for number in members}
    return found


def imported(path, text, *others):
    """What the file imports of `others`, which are empty."""
    return imports({path: text} | dict.fromkeys(others, "")).get(path, set())


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("a/x.py", "import b.c\n", {"b/c.py"}),
        ("a/x.py", "import b.c as d, e\n", {"b/c.py", "src/e/__init__.py"}),
        ("a/x.py", "import os, sys\n", set()),
        ("a/x.py", "from b import c\n", {"b/c.py"}),  # a module
        ("a/x.py", "from b import d\n", {"b/__init__.py"}),  # something in one
        ("a/x.py", "from b.c import *\n", {"b/c.py"}),
        (
            "a/x.py",
            "if a:\n    from b import (  # why\n        c,\n        d as e,\n    )\n",
            {"b/c.py", "b/__init__.py"},
        ),
        ("b/x.py", "from . import c\n", {"b/c.py"}),
        ("b/x.py", "from .c import d\n", {"b/c.py"}),
        ("b/y/x.py", "from ..c import d\n", {"b/c.py"}),
        ("b/y/x.py", "from ....c import d\n", set()),  # above the repository
        ("b/x.py", "import c\n", {"b/c.py"}),  # a script beside it
        ("src/f/x.py", "import e\n", {"src/e/__init__.py"}),
        ("a/x.py", "x = 'import b'\nimported = b\n# import b.c\n", set()),
        ("a/x.py", "from b.c import d", {"b/c.py"}),  # the last line
    ],
)
def test_python(path, text, found):
    assert imported(path, text, "b/__init__.py", "b/c.py", "src/e/__init__.py", "b/y/__init__.py", "c.md") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a from './a';\n", {"src/a.ts"}),
        ('import {\n  a,\n  b\n} from "./a.js";\n', {"src/a.ts"}),  # the compiled name of a source
        ("import './a.css'; import b from '../b'", {"src/a.css", "b/index.jsx"}),
        ("export * from './c/d';", {"src/c/d.vue"}),
        ("const a = require('./a'), b = require(`../b`)", {"src/a.ts"}),
        ("const a = await import( './a' )", {"src/a.ts"}),
        ("import a from '@/a'; import b from '~/c/d'", {"src/a.ts", "src/c/d.vue"}),
        ("import React from 'react'; import x from './missing'", set()),
        ("import x from '../../../a'", set()),
        ("import x from '.'", {"src/index.ts"}),
    ],
)
def test_javascript(text, found):
    others = ("src/a.ts", "src/a.css", "b/index.jsx", "src/c/d.vue", "src/index.ts")
    assert imported("src/x.tsx", text, *others) == found


def test_java():
    found = imports(
        {
            "one/src/main/java/a/b/C.java": "/* licence */\npackage a.b;\nimport a.d.*;\nimport java.util.List;\n",
            "one/src/main/java/a/d/D.java": "package a.d;\nimport static a.b.C.Inner.f;\n",
            "one/src/main/java/a/d/E.java": "package a.d;\n",
            "two/src/a/b/C.java": "package a.b;\n",
            "two/src/e/F.java": "package e;\nimport a.b.C;\n",
            "Main.java": "import a.b.C.Inner;\n",
        }
    )
    one = "one/src/main/java/a"
    assert found == {
        f"{one}/b/C.java": {f"{one}/d/D.java", f"{one}/d/E.java"},
        f"{one}/d/D.java": {f"{one}/b/C.java"},
        "two/src/e/F.java": {"two/src/a/b/C.java"},  # the one of its own module
        "Main.java": {f"{one}/b/C.java"},
    }


def test_go():
    files = {
        "go.mod": "// why\nmodule example.com/m\n\ngo 1.22\n",
        "main.go": 'package main\n\nimport (\n\t"fmt"\n\n\tx "example.com/m/a/b"\n\t_ "example.com/tool/c"\n)\n',
        "a/b/one.go": "package b\n",
        "a/b/two.go": 'package b\n\nimport "example.com/m"\n',
        "a/b/gen.go": "//go:build ignore\n\npackage main\n",
        "a/b/one_test.go": 'package b_test\n\nimport . "example.com/m/a/b"\n',
        "tool/go.mod": 'module "example.com/tool"\n',
        "tool/c/c.go": "package c\n",
    }
    both = {"a/b/one.go", "a/b/two.go"}
    assert imports(files) == {
        "main.go": both | {"tool/c/c.go"},
        "a/b/two.go": {"main.go"},
        "a/b/one_test.go": both,
    }
    del files["go.mod"], files["tool/go.mod"]  # then only folders say it
    assert imports(files) == {"main.go": both | {"tool/c/c.go"}, "a/b/one_test.go": both}
    standard = {"src/go.mod": "module std\n", "src/fmt/print.go": "package fmt\n", "src/log/l.go": 'import "fmt"\n'}
    assert imports(standard) == {"src/log/l.go": {"src/fmt/print.go"}}


def test_rust():
    found = imports(
        {
            "one/Cargo.toml": '[package]\nname = "the-one"\n',
            "one/src/lib.rs": 'pub mod a;\nmod b ;\n#[path = "odd/place.rs"]\npub(crate) mod odd;\nuse b::{self, c};\n',
            "one/src/a.rs": "use crate::b::{c, Thing};\nuse super::b::Thing as T;\nuse crate::Top;\nuse std::fmt;\n",
            "one/src/b/mod.rs": "mod c;\n",
            "one/src/b/c.rs": "use super::Thing;\nuse crate::b::Other;\n",
            "one/src/odd/place.rs": "",
            "two/src/lib.rs": "",
            "two/src/main.rs": "use the_one::a::A;\nuse two::f;\nuse the_one::g;\n",
        }
    )
    assert found == {
        "one/src/lib.rs": {"one/src/a.rs", "one/src/b/mod.rs", "one/src/b/c.rs", "one/src/odd/place.rs"},
        "one/src/a.rs": {"one/src/b/mod.rs", "one/src/b/c.rs"},
        "one/src/b/mod.rs": {"one/src/b/c.rs"},
        "two/src/main.rs": {"one/src/a.rs", "one/src/lib.rs"},
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", ["a"]),
        ("a::b::*", ["a b *"]),
        ("a::{b::{c, d}, e as f}", ["a b c", "a b d", "a e"]),
        ("{a, b}", ["a", "b"]),
        ("a::{\n    b,\n    c,\n}", ["a b", "a c"]),
        ("}}a{,", []),
        ("", []),
    ],
)
def test_declarations_of_rust(text, found):
    assert [" ".join(path) for path in uses(text)] == found


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("src/x.c", '#include "x.h"\n  #  include <stdio.h>\n', {"src/x.h"}),
        ("src/x.c", '#include "../lib/y.hpp"\n', {"lib/y.hpp"}),
        ("src/x.c", "#include <m/z.h>\n", {"include/m/z.h"}),
        ("src/x.cu", '#include "lib/y.hpp"\n', {"lib/y.hpp"}),
        ("src/x.c", '#include "deep/only.h"\n', {"far/away/deep/only.h"}),  # no other file is called so
        ("src/x.c", '#include "other/only.h"\n', set()),
        ("src/x.c", '#include "../../../x.h"\n', {"src/x.h"}),  # it lies elsewhere, but is the only one
        ("src/x.c", '#include "../../../y.h"\n', set()),
        ("src/x.m", "#import <m/z.h>\n", {"include/m/z.h"}),
        ("src/x.c", 'text = "#include";\n// include "x.h"\n', set()),
    ],
)
def test_c(path, text, found):
    assert imported(path, text, "src/x.h", "lib/y.hpp", "include/m/z.h", "far/away/deep/only.h") == found


def test_folders():
    assert folder_of("a/b.c") == "a/"
    assert list(above("a/b/")) == ["a/b/", "a/", ""]
    assert list(above("")) == [""]
    assert len(list(above("a/" * 1000))) < 20
    assert joined("a/b/", "../../c") == "c"
    assert joined("a/", "../../c") is None
    assert joined("a/", "b" * 2000) is None


NAMES = st.sampled_from(
    ["a", "b.py", "__init__.py", "..", "", "src", "c.go", "go.mod", "d.rs", "mod.rs", "e.java", "f.ts", "h.h"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
WORDS = ["import", "import(", "from", "use", "mod", "crate::", "self", "super", "package", "module", "#include", "::"]
TEXTS = st.lists(st.sampled_from([*WORDS, *"abé./'(){};,<>* \"\n\0", "\r\n"]), max_size=40).map("".join)


@given(st.lists(st.tuples(PATHS, TEXTS), max_size=8))
def test_any_files(files):
    found = graph.imports(files)
    assert len(found) >= len(files)
    for number, edges in enumerate(found):
        assert len(set(edges)) == len(edges)
        assert all(0 <= edge < len(found) for edge in edges)
        assert number not in edges or number >= len(files)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a/" * 300 + "x.py", "".join(f"import z{n}.y\n" for n in range(50_000))),
        ("x.py", "import " * 150_000),
        ("x.py", "from a import (" * 70_000),
        ("x.py", "from z import " + "z, " * 300_000),
        ("a/" * 300 + "x.js", "".join(f"import '@/z{n}'\n" for n in range(50_000))),
        ("x.js", "require('./" * 90_000),
        ("x.java", "import a.b.c.d.e.f.g.h;" * 40_000),
        ("x.go", "import (" * 120_000),
        ("x.go", 'import "' + "a/" * 140 + '"\n' * 10_000),
        ("x.rs", "use {" * 200_000),
        ("x.rs", "use " + "a::" * 300_000 + ";"),
        ("x.rs", "use a::{" + "b," * 900 + "};\n" * 400),
        ("x.c", "#include <" * 100_000),
        ("a/" * 300 + "x.c", "".join(f'#include "z{n}/x.c"\n' for n in range(50_000))),
        ("x.c", " " * 1_000_000 + "#include"),
    ],
    ids=lambda value: value[-5:] if value.endswith(("x.py", "x.js", "x.java", "x.go", "x.rs", "x.c")) else "",
)
def test_hostile_files_end(path, text):
    """A megabyte, in seconds: something quadratic would take hours."""
    assert len(graph.imports([(path, text), ("z.py", ""), ("z1.py", "")])) == 3


def test_many_files_that_import_one_folder_are_no_more_edges():
    files = [("go.mod", "module m")] + [(f"a/{n}.go", 'import "m/a"\n') for n in range(5000)]
    found = graph.imports(files)
    assert sum(map(len, found)) == 10_000

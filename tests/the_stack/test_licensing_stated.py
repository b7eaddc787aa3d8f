"""Licences that metadata and machine-readable copyright files state, their place among the evidence, and the settings
that say how folders and copies add up."""

import json

from the_stack.building import GPL_NOTICE, MIT, code, gpl

LATER = 10_000  # hours


def licence(row):
    return row["license_type"], row["detected_licenses"], row["license_evidence"], row["license_source"]


def package(license):
    return json.dumps({"name": "x", "license": license}, indent=1).encode()


def cargo(license):
    return f'[package]\nname = "x"\nlicense = "{license}"\n'.encode()


def test_metadata_speaks_for_its_folder(repository, workspace):
    rows = workspace(
        repository("a", {"package.json": package("MIT"), "a.js": code("a"), "gpl/Cargo.toml": cargo("GPL-3.0-only"),
                         "gpl/b.py": code("b")})
    ).ledger()  # fmt: skip
    assert licence(rows["a", "a.js"]) == ("permissive", ["MIT"], "path", "a:package.json:3")
    assert licence(rows["a", "gpl/b.py"]) == (
        "non_permissive", ["GPL-3.0-only", "MIT"], "path", "a:gpl/Cargo.toml:3"
    )  # fmt: skip


def test_metadata_against_the_licence_file_is_not_permissive(repository, workspace):
    rows = workspace(repository("a", {"package.json": package("MIT"), "COPYING": gpl(), "a.js": code("a")})).ledger()
    assert licence(rows["a", "a.js"])[:2] == ("non_permissive", ["GPL-3.0-only", "MIT"])


def test_metadata_says_that_two_texts_are_a_choice(repository, workspace):
    files = {"COPYING": gpl(), "LICENSE-MIT": MIT}
    choice = {"a.rs": code("choice"), "Cargo.toml": cargo("MIT OR GPL-3.0-or-later")}
    rows = workspace(repository("both", files | {"a.rs": code("both")}), repository("choice", files | choice)).ledger()
    assert licence(rows["choice", "a.rs"])[:2] == ("permissive", ["MIT OR GPL-3.0-or-later"])
    assert licence(rows["both", "a.rs"])[:2] == ("non_permissive", ["GPL-3.0-only", "MIT"])


def test_a_text_that_nobody_can_read_beside_metadata(repository, workspace):
    plain = b"Redistribution and use in source and binary forms are permitted to all friends of the author.\n"
    grave = b"Permission is hereby granted for evaluation only. This is proprietary.\n"
    rows = workspace(
        *(
            repository(name, {"LICENSE": text, "package.json": package("BSD-2-Clause"), "a.py": code(name)})
            for name, text in (("plain", plain), ("grave", grave))
        ),
        repository("alone", {"LICENSE": plain, "a.py": code("alone")}),
    ).ledger()
    assert licence(rows["plain", "a.py"])[:2] == ("permissive", ["BSD-2-Clause"])
    for name in ("grave", "alone"):
        assert rows[name, "a.py"]["license_type"] == "non_permissive"
        assert "LicenseRef-scancode-unknown" in rows[name, "a.py"]["detected_licenses"]


def test_a_readme_is_heard_where_nothing_else_speaks(repository, workspace):
    readme = b"# X\n\n## License\n\nThis project is released under the MIT License.\n"
    rows = workspace(
        repository("only", {"README.md": readme, "a.py": code("only")}),
        repository("beside", {"README.md": readme, "COPYING": gpl(), "a.py": code("beside")}),
    ).ledger()
    assert licence(rows["only", "a.py"]) == ("permissive", ["MIT"], "path", "only:README.md:3")
    assert licence(rows["beside", "a.py"])[:2] == ("non_permissive", ["GPL-3.0-only"])


DEP5 = b"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2024 A
License: GPL-3

Files: lib/*
Copyright: 2024 B
License: Expat

Files: lib/gnu.py lib/x*.py
Copyright: 2024 C
License: LGPL-2.1+
"""


def test_debian_copyright_speaks_for_each_file(repository, workspace):
    files = {
        "debian/copyright": DEP5,
        "LICENSE": MIT,
        "top.py": code("top"),
        "lib/free.py": code("free"),
        "lib/gnu.py": code("gnu"),
        "lib/x1.py": code("x1"),
        "lib/noticed.py": b"# SPDX-License-Identifier: MPL-2.0\n" + code("noticed"),
    }
    rows = workspace(repository("d", files)).ledger()
    assert licence(rows["d", "lib/free.py"]) == ("permissive", ["MIT"], "stated", "d:debian/copyright:9")
    assert licence(rows["d", "top.py"])[:3] == ("non_permissive", ["GPL-3.0-only"], "stated")
    for name in ("gnu", "x1"):
        assert licence(rows["d", f"lib/{name}.py"])[:3] == ("non_permissive", ["LGPL-2.1-or-later"], "stated")
    assert licence(rows["d", "lib/noticed.py"])[:3] == ("non_permissive", ["MPL-2.0"], "notice")


def test_a_sidecar_speaks_for_its_file(repository, workspace):
    sidecar = b"SPDX-FileCopyrightText: 2024 A\nSPDX-License-Identifier: GPL-2.0-only\n"
    files = {"LICENSE": MIT, "a.py": code("a"), "a.py.license": sidecar, "b.py": code("b")}
    rows = workspace(repository("s", files)).ledger()
    assert licence(rows["s", "a.py"])[:3] == ("non_permissive", ["GPL-2.0-only"], "stated")
    assert rows["s", "b.py"]["license_type"] == "permissive"


def test_nearest_stands_in_the_place_of_what_is_above(repository, workspace):
    files = {"COPYING": gpl(), "lib/LICENSE": MIT, "lib/deep/x.py": code("x"), "y.py": code("y")}
    made = workspace(repository("n", files), extra='\n[licenses]\npropagation = "nearest"\n')
    rows = made.ledger()
    assert licence(rows["n", "lib/deep/x.py"]) == ("permissive", ["MIT"], "path", "n:lib/LICENSE")
    assert rows["n", "y.py"]["license_type"] == "non_permissive"


def test_the_papers_order_launders_and_ours_does_not(repository, workspace):
    """The same two repositories under both orders: the permissive copy first, against the origin."""
    files = {"a.py": code("a"), "noted.py": GPL_NOTICE + code("noted")}
    made = workspace(
        repository("original", {"COPYING": gpl(), **files}),
        repository("clone", {"LICENSE": MIT, **files}, hours=LATER),
        extra='\n[licenses]\norder = "careful"\n',
    )
    careful = made.ledger()
    assert {careful["clone", path]["verdict"] for path in files} == {"dropped"}
    made.replace('order = "careful"', 'order = "paper"')
    paper = made.build().ledger()
    for path in files:
        assert licence(paper["clone", path]) == ("permissive", ["MIT"], "path", "clone:LICENSE")
        assert paper["clone", path]["verdict"] == "kept"
        assert paper["original", path]["rule"] == "license"


def test_the_papers_order_takes_either_list(repository, workspace):
    readme = b"# X\n\n## License\n\nReleased under the Artistic License 2.0.\n"
    made = workspace(repository("a", {"README.md": readme, "a.py": code("a")}), recipe="stack-v2-paper-compat")
    assert licence(made.row("a", "a.py"))[:2] == ("permissive", ["Artistic-2.0"])
    made.replace('recipe = "stack-v2-paper-compat"', 'recipe = "stack-v2"')
    assert made.build().row("a", "a.py")["license_type"] == "non_permissive"


def test_a_thousand_licences_in_one_repository(repository, workspace):
    files = {f"d{number}/LICENSE": MIT for number in range(1_000)} | {"d7/x.py": code("x"), "d8/COPYING": gpl()}
    files |= {"d8/y.py": code("y"), "z.py": code("z")}
    rows = workspace(repository("many", files)).ledger()
    assert rows["many", "d7/x.py"]["license_type"] == "permissive"
    assert rows["many", "d8/y.py"]["license_type"] == "non_permissive"
    assert licence(rows["many", "z.py"]) == ("no_license", [], "none", None)


def test_bad_licence_files(repository, workspace):
    bad = {
        "huge": b"You may use this. " * 500_000,  # 9 MB
        "binary": b"\0\1" * 500 + MIT,
        "utf16": MIT.decode().encode("utf-16"),
        "blank": b" \n\t\n" * 9,
        "one-line": b"permission is hereby granted " * 30_000,
    }
    made = workspace(*(repository(name, {"LICENSE": text, "x.py": code(name)}) for name, text in bad.items()))
    types = {name: made.row(name, "x.py")["license_type"] for name in bad}
    assert types == {
        "huge": "non_permissive",
        "binary": "non_permissive",  # not read, and what it says is not known
        "utf16": "permissive",
        "blank": "no_license",
        "one-line": "non_permissive",
    }
    assert made.row("binary", "LICENSE")["rule"] == "binary"


def test_distributions_side_by_side_do_not_speak_for_each_other(folder, workspace):
    """As in site-packages, or a folder of vendored wheels: METADATA names no files."""

    def metadata(name, license):
        return f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\nLicense: {license}\n".encode()

    both = {
        "v/a-1.dist-info/METADATA": metadata("a", "MIT"),
        "v/b-1.dist-info/METADATA": metadata("b", "LGPL-3.0-only"),
        "v/a.py": code("a"),
    }
    one = {"v/a-1.dist-info/METADATA": metadata("a", "MIT"), "v/a.py": code("alone")}
    rows = workspace(folder("both", both), folder("one", one)).ledger()
    assert licence(rows["both", "v/a.py"])[:3] == ("no_license", [], "none")
    assert licence(rows["one", "v/a.py"])[:3] == ("permissive", ["MIT"], "path")

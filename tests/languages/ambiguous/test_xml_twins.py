"""XML of a tool against a language."""

import pytest

from starloom.languages.ambiguous.rule import all_rules, settle

CASES = [
    ("ts", "XML", '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS version="2.1"></TS>\n'),
    ("ts", "XML", "<!DOCTYPE TS><TS>\n</TS>\n"),
    ("ts", "XML", '\n<TS version="2.0" language="de">\n'),
    ("ts", "TypeScript", "console.log(1);\n"),
    ("ts", "TypeScript", '// <TS version="2.0"> is what Qt writes\nexport {};\n'),
    ("ts", "TypeScript", "const x = <any>y;\n"),
    ("ts", "TypeScript", ""),
    ("tsx", "XML", '<?xml version="1.0"?>\n<tileset name="a"/>\n'),
    ("tsx", "XML", '<tileset version="1.0" name="grass">\n'),
    ("tsx", "TSX", "export const A = () => <div/>;\n"),
    ("rs", "Rust", "fn main() {}\n"),
    ("rs", "Rust", "// comment\n"),
    ("rs", "Rust", 'pub const SOURCE: &str = "\n#pragma version(1)\n#pragma rs java_package_name(a)\n";\n'),
    (
        "rs",
        "RenderScript",
        "#pragma version(1)\n#pragma rs java_package_name(com.a)\nvoid root(const uchar4 *in, uchar4 *out) {}\n",
    ),
    ("rs", "RenderScript", '#include "a.rsh"\nrs_allocation gIn;\n'),
    ("rs", "XML", '<?xml version="1.0"?>\n<rs/>\n'),
    ("res", "XML", '<?xml version="1.0"?>\n<resources/>\n'),
    ("res", "ReScript", "let x = 1\nJs.log(x)\n"),
    ("sw", "XML", '<?xml version="1.0"?>\n<a/>\n'),
    ("sw", "Sway", "contract;\nfn f() -> u64 { 1 }\n"),
    ("typ", "XML", '<?xml version="1.0"?>\n<type/>\n'),
    ("typ", "Typst", "= Heading <intro>\n"),
    ("typ", "Typst", "<label>\n"),
    ("workflow", "XML", '<?xml version="1.0"?>\n<workflow/>\n'),
    ("workflow", "HCL", 'workflow "build" {\n  on = "push"\n}\n'),
    ("pluginspec", "XML", '<?xml version="1.0"?>\n<plugin/>\n'),
    ("pluginspec", "Ruby", "Jenkins::Plugin::Specification.new do |plugin|\nend\n"),
    ("plist", "XML Property List", '<?xml version="1.0"?>\n<plist version="1.0"><dict/></plist>\n'),
    ("plist", "OpenStep Property List", '{ name = "a"; }\n'),
    ("plist", "OpenStep Property List", "// !$*UTF8*$!\n{\n}\n"),
    ("sch", "Eagle", '<?xml version="1.0"?>\n<!DOCTYPE eagle SYSTEM "eagle.dtd">\n<eagle version="6.1"/>\n'),
    ("sch", "XML", '<?xml version="1.0"?>\n<schema xmlns="http://purl.oclc.org/dsdl/schematron"/>\n'),
    ("sch", "KiCad Schematic", "EESchema Schematic File Version 2\n"),
    ("sch", "KiCad Schematic", "(kicad_sch (version 1) (generator eeschema))\n"),
    ("sch", "Scheme", "; tests\n(define x 1)\n"),
    ("ncl", "XML", '<?xml version="1.0"?>\n<ncl id="a"/>\n'),
    ("ncl", "Gerber Image", "%FSLAX24Y24*%\nG04 nets*\nM02*\n"),
    ("ncl", "NCL", '; plots\nbegin\n  f = addfile("a.nc", "r")\n  f@units = "m"\nend\n'),
    ("ncl", "NCL", "x = 1.5\n"),
    ("ncl", "Nickel", "let f = fun x => x + 1 in\nf 2\n"),
    ("ncl", "Nickel", '{\n  name = "a",\n  port | Number | default = 80,\n}\n'),
    ("ncl", "Text", "Dette er en liten tekst om ingenting\nog den er kort\n"),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{n}-{key}-{language}" for n, (key, language, _) in enumerate(CASES)]
)
def test_settles(key: str, language: str, text: str) -> None:
    candidates = frozenset(rule.language for rule in all_rules()[key])
    settled = settle(key, text, candidates)
    assert settled is not None
    assert settled.language == language

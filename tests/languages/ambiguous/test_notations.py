"""Notations for data and settings."""

import pytest

from starloom.languages.ambiguous.rule import all_rules, settle

CASES = [
    ("yaml", "YAML", "a: 1\n"),
    ("yaml", "YAML", "# only a comment\n"),
    ("yaml", "YAML", 'info:\n  swagger: "2.0"\n  openapi: 3.0.0\n'),
    ("yaml", "YAML", "script: |\n\tall: build\n"),
    ("yml", "OASv2-yaml", 'swagger: "2.0"\ninfo: {}\n'),
    ("yml", "OASv3-yaml", "# API\nopenapi: 3.1.0\ninfo: {}\n"),
    ("yaml", "OASv3-yaml", '"openapi": "3.0.0"\n'),
    ("yaml", "MiniYAML", "^Vehicle:\n\tInherits: ^Base\n\tHealth:\n\t\tHP: 5\n"),
    ("yaml", "MiniYAML", "# rules\nE1:\n\tValued:\n\t\tCost: 100\n\tVoiced@CREW:\n"),
    ("yy", "JSON", '{\n  "resourceType": "GMObject"\n}\n'),
    ("yy", "Yacc", "%{\n#include <a>\n%}\n%token A\n%%\ns: A;\n"),
    ("yy", "Yacc", "// grammar\n%%\n"),
    ("properties", "Java Properties", "a=1\n"),
    ("properties", "Java Properties", "# c\na.b: c\n"),
    ("properties", "INI", "[core]\na=1\n"),
    ("properties", "INI", "; c\na=1\n"),
    ("odin", "Odin", "package main\nmain :: proc() {}\n"),
    ("odin", "Odin", "// only\n"),
    (
        "odin",
        "Object Data Instance Notation",
        '-- a person\nperson = <\n  name = <"Ada">\n  code = <[ISO_639-1::en]>\n>\n',
    ),
    ("odin", "Object Data Instance Notation", "x = (LIST) <1, 2>\n"),
    ("pbt", "PowerBuilder", 'Save Format v3.0(19990112)\nappname "a";\n'),
    ("pbt", "Protocol Buffer Text Format", 'name: "a"\nlayer { size: 1 }\n'),
    ("star", "STAR", "data_1ABC\nloop_\n_atom.id\n1\n"),
    ("star", "STAR", "_cell.length 3.1\n"),
    ("star", "Starlark", '# c\nload("a", "b")\ndef f():\n  pass\n'),
    ("vcf", "vCard", "BEGIN:VCARD\nFN:A\nEND:VCARD\n"),
    ("vcf", "TSV", "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\n"),
    ("srt", "SubRip Text", "1\n00:00:01,000 --> 00:00:02,000\nHello\n"),
    ("srt", "SRecode Template", ';; doc\nset mode "c-mode"\ntemplate empty\n----\n----\n'),
    ("toc", "TeX", "\\contentsline {section}{Intro}{1}\n"),
    ("toc", "World of Warcraft Addon Data", "## Interface: 11200\n## Title: A\na.lua\n"),
    ("txt", "Text", "Hello ||| world\n"),
    ("txt", "Text", "! Title without a list\n"),
    ("txt", "Adblock Filter List", "[Adblock Plus 2.0]\n||ads.example^\n"),
    ("txt", "Adblock Filter List", "! Title: My list\n! Expires: 4 days\n||ads.example^\n"),
    ("txt", "Vim Help File", "*thing.txt*  About things\n"),
    ("txt", "Text", "** emphasised ** text\n"),
    ("nb", "Wolfram Language", "(* Content-type: application/mathematica *)\nNotebook[{}]\n"),
    ("nb", "Wolfram Language", 'Print["x"]\n'),
    ("nb", "Text", "Vanlig tekst.\n"),
    ("sol", "Solidity", "pragma solidity ^0.8.0;\ncontract A {}\n"),
    ("sol", "Solidity", "// SPDX-License-Identifier: MIT\n"),
    ("sol", "Gerber Image", "G04 solder mask*\n%MOIN*%\nD10*\n"),
    ("HOSTS", "Hosts File", "127.0.0.1 localhost\n"),
    ("hosts", "INI", "[web]\na.example ansible_user=x\n"),
    ("hosts", "Hosts File", "# c\n::1 localhost\n"),
    (".releaserc", "JSON", '{"branches": []}\n'),
    (".releaserc", "YAML", "branches:\n  - main\n"),
    (".eslintrc", "JSON with Comments", '// rules\n{ "rules": {} }\n'),
    (".eslintrc", "YAML", "# c\nrules:\n  semi: 2\n"),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{n}-{key}-{language}" for n, (key, language, _) in enumerate(CASES)]
)
def test_settles(key: str, language: str, text: str) -> None:
    candidates = frozenset(rule.language for rule in all_rules()[key])
    settled = settle(key, text, candidates)
    assert settled is not None
    assert settled.language == language

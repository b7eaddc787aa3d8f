"""`.cls`: six languages and no two alike."""

import pytest

from starloom.languages.ambiguous.classes import RULES
from starloom.languages.ambiguous.rule import settle

_HEADER = "VERSION 1.0 CLASS\r\nBEGIN\r\n  MultiUse = -1  'True\r\n"
CASES = [
    ("VBA", _HEADER + 'END\r\nAttribute VB_Name = "Foo"\r\nPrivate x As Long\r\n'),
    ("VBA", "Option Explicit\n\nPrivate Sub Class_Initialize()\nEnd Sub\n"),
    ("VBA", "Sub Fill()\n  Cells(1, 1) = 2\nEnd Sub\n"),
    ("Visual Basic 6.0", _HEADER + '  Persistable = 0  \'NotPersistable\r\nEND\r\nAttribute VB_Name = "Foo"\r\n'),
    ("Visual Basic 6.0", "Option Explicit\nPrivate Sub Class_Initialize()\n  Debug.Print App.Path\nEnd Sub\n"),
    ("TeX", "\\NeedsTeXFormat{LaTeX2e}\n\\ProvidesClass{foo}[2020/01/01 Foo]\n\\LoadClass{article}\n"),
    ("TeX", "%% Copyright\n%% class file\n"),
    ("TeX", "\\def\\foo{bar}\n"),
    ("ObjectScript", "Class Demo.Person Extends %Persistent\n{\n\nProperty Name As %String;\n\n}\n"),
    ("ObjectScript", "/// docs\nClass A.B [ Abstract ]\n{\nClassMethod F() As %Status\n{\n  quit 1\n}\n}\n"),
    ("ObjectScript", "Include %occErrors\n\nClass A.B Extends (C.D, E.F)\n{\n}\n"),
    (
        "OpenEdge ABL",
        "USING Progress.Lang.*.\n\nCLASS Foo.Bar INHERITS Base:\n  METHOD PUBLIC VOID f():\n"
        "  END METHOD.\nEND CLASS.\n",
    ),
    ("OpenEdge ABL", "define variable x as integer no-undo.\n"),
    ("Apex", "public with sharing class Foo {\n  public Integer x { get; set; }\n}\n"),
    ("Apex", "@isTest\nprivate class FooTest {\n  static testMethod void t() {}\n}\n"),
    ("Apex", "global virtual class A extends B implements C {}\n"),
    ("Apex", "/* a class */\npublic interface I { void f(); }\n"),
    ("Apex", "public enum Season {WINTER, SPRING}\n"),
]


@pytest.mark.parametrize(("language", "text"), CASES, ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)])
def test_a_class_is_in_the_language_that_declares_it(language, text):
    rule = settle("cls", text, frozenset(rule.language for rule in RULES["cls"]))
    assert rule is not None
    assert rule.language == language, rule.reason

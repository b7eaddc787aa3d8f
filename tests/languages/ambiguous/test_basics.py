"""Dialects of Basic, BitBake recipes and babashka scripts."""

from languages.ambiguous.telling import told_apart

CASES = [
    ("bas", "B4X", "B4A=true\nGroup=Default Group\nModulesStructureVersion=1\nType=StaticCode\n@EndOfDesignText@\n"),
    ("bas", "B4X", "Sub Process_Globals\n\tPrivate xui As XUI\nEnd Sub\n"),
    ("bas", "BASIC", '10 PRINT "HELLO"\n20 GOTO 10\n'),
    ("bas", "BASIC", "REM a game\n100 CLS\n"),
    ("bas", "BASIC", 'PRINT "HELLO"\n'),
    ("bas", "VBA", 'Attribute VB_Name = "Module1"\nSub Fill()\n  ActiveSheet.Range("A1").Value = 1\nEnd Sub\n'),
    (
        "bas",
        "VBA",
        'Attribute VB_Name = "Json"\nOption Explicit\nPublic Function Parse(s As String) As Object\nEnd Function\n',
    ),
    ("bas", "VBA", "Option Explicit\n\nPrivate Sub Worksheet_Change(ByVal Target As Range)\nEnd Sub\n"),
    ("bas", "VBA", '#If VBA7 Then\nPrivate Declare PtrSafe Sub Sleep Lib "kernel32" (ByVal ms As Long)\n#End If\n'),
    ("bas", "Visual Basic 6.0", 'Attribute VB_Name = "modMain"\nSub Main()\n  frmMain.Show\nEnd Sub\n'),
    (
        "bas",
        "Visual Basic 6.0",
        'Attribute VB_Name = "Api"\nPublic Declare Function GetTickCount Lib "kernel32" () As Long\n',
    ),
    ("bas", "FreeBASIC", '#include "fbgfx.bi"\nscreenres 640, 480\n'),
    ("bas", "FreeBASIC", "dim as integer x = 3\nprint x\nsleep\n"),
    ("bas", "FreeBASIC", "'' comment\nsub f(byval p as zstring ptr)\nend sub\n"),
    ("bas", "FreeBASIC", 'declare sub hello()\nsub hello()\n  print "hello"\nend sub\n'),
    ("bas", "QuickBASIC", "DECLARE SUB Draw (x%)\nSCREEN 13\nDIM SHARED a AS INTEGER\nEND\n"),
    ("bas", "QuickBASIC", "DEFINT A-Z\nCLS\nDO\n  PRINT x\nLOOP UNTIL x = 3\n"),
    ("bas", "QuickBASIC", '$CONSOLE:ONLY\nOPTION _EXPLICIT\nDIM AS LONG a\n_TITLE "Game"\n'),
    (
        "bi",
        "FreeBASIC",
        '#pragma once\n#inclib "png"\ndeclare function f cdecl alias "f" (byval x as long) as any ptr\n',
    ),
    ("bi", "FreeBASIC", "const A = 1\n"),
    ("bi", "QuickBASIC", "DECLARE SUB Mouse (m1%, m2%)\nCOMMON SHARED x AS INTEGER\n"),
    ("bi", "QuickBASIC", "$INCLUDEONCE\nTYPE T\n  x AS _UNSIGNED LONG\nEND TYPE\n"),
    ("bb", "BitBake", 'SUMMARY = "x"\nLICENSE = "MIT"\ninherit cmake\n'),
    ("bb", "BitBake", "require recipe.inc\n"),
    ("bb", "BitBake", "# nothing yet\n"),
    ("bb", "BlitzBasic", "; a game\nGraphics 640,480\nWhile Not KeyHit(1)\n  Flip\nWend\nEnd\n"),
    ("bb", "BlitzBasic", "Type Ball\n  Field x#,y#\nEnd Type\n"),
    ("bb", "Clojure", '#!/usr/bin/env bb\n; hello\n(println "hello")\n'),
    ("bb", "Clojure", ";; tasks\n(ns tasks\n  (:require [babashka.fs :as fs]))\n"),
]


test_a_dialect_is_known_by_its_words = told_apart(CASES)

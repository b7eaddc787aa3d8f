"""`.inc`, whatever includes it."""

import pytest

from starloom.languages.ambiguous.includes import RULES
from starloom.languages.ambiguous.rule import settle

CASES = [
    ("PHP", "<?php\nfunction foo() {}\n"),
    ("PHP", "<html><?= $title ?></html>\n"),
    ("PHP", "<?\n  $x = 1;\n?>\n"),
    ("HTML", '<!-- header -->\n<div class="a">\n</div>\n'),
    ("HTML", "<p>Hello</p>\n"),
    (
        "SourcePawn",
        "#if defined _foo_included\n #endinput\n#endif\n#define _foo_included\n\nnative int GetFoo(int client);\n",
    ),
    ("SourcePawn", "methodmap Foo < Handle {\n  public native Foo();\n};\n"),
    ("SourcePawn", "/**\n * SourceMod stocks\n */\nstock bool:IsOk(client)\n{\n\treturn true;\n}\n"),
    ("SourcePawn", "forward Action:OnFoo(client);\n"),
    ("Pawn", "#include <a_samp>\n\nforward OnFoo(playerid);\n"),
    ("Pawn", "native Float:floatadd(Float:a, Float:b);\n"),
    ("Pawn", "/* AMX Mod X */\nstock bool:is_ok(id)\n{\n\treturn true\n}\n"),
    ("Pawn", "#if defined _core_included\n\t#endinput\n#endif\n#pragma library Core\n"),
    (
        "NASL",
        "function get_port(default) {\n  local_var port;\n  port = get_kb_item('Services/www');\n  return port;\n}\n",
    ),
    ("NASL", '# common functions\ninclude("http_func.inc");\n'),
    ("BitBake", 'SUMMARY = "A tool"\nSRC_URI += "file://a.patch"\n'),
    ("BitBake", "require linux.inc\ninherit kernel\n"),
    ("BitBake", '# defaults\nMACHINE_FEATURES:append:arm = " usb"\n'),
    ("BitBake", "do_install() {\n  install -d ${D}\n}\n"),
    ("POV-Ray SDL", "#declare Red = rgb <1, 0, 0>;\n"),
    ("POV-Ray SDL", "// table\n#macro Leg(X)\n  cylinder { <0,0,0>, <X,1,0>, 0.1 }\n#end\n"),
    ("Pascal", "{ constants of the compiler }\nconst\n  Max = 3;\n"),
    ("Pascal", "{ don't edit, this file is generated }\n-1,\n0,\n1,\n"),
    ("Pascal", "(* graph unit *)\nprocedure Draw(x, y: Integer);\nbegin\n  x := y;\nend;\n"),
    ("Pascal", "{$IFDEF FPC}\n{$MODE Delphi}\n{$ENDIF}\n"),
    ("Pascal", "function Add(a, b: Integer): Integer;\n"),
    ("SQL", "CREATE TABLE t (id INT);\nINSERT INTO t VALUES (1);\n"),
    ("SQL", "--source include/have_innodb.inc\n--disable_query_log\nlet $x = 1;\n"),
    ("SQL", "select count(*)\nfrom t;\n"),
    ("Motorola 68K Assembly", "; macros\nPUSH\tMACRO\n\tmove.l \\1,-(sp)\n\tENDM\n"),
    ("Motorola 68K Assembly", "Table:\tdc.w 1,2,3\n\tds.l 4\n"),
    ("Assembly", "; constants\nVIC = $d000  ; video\nSID := $d400\n"),
    ("Assembly", "%macro push2 2\n  push %1\n  push %2\n%endmacro\n"),
    ("Assembly", "struct POINT\n  x dd ?\n  y dd ?\nends\n"),
    ("Assembly", ".def temp = r16\n.equ CLOCK = 8000000\n"),
    ("Assembly", "BUFSIZE\tequ 512\n"),
    ("C++", "#ifndef TABLE_INC\n#define X(a) a\n#endif\n"),
    ("C++", "  0x00, 0x01, 0x02,\n  0x03, 0x04, 0x05,\n"),
    ("C++", "// generated\nOPCODE(Add, 1)\nOPCODE(Sub, 2)\n"),
    ("C++", "template <class T>\nvoid List<T>::add(const T& x) {\n  public_ = 1;\n}\n"),
    ("C++", "/* Copyright; see LICENSE */\nstatic int f(void);\n"),
]


@pytest.mark.parametrize(("language", "text"), CASES, ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)])
def test_an_included_file_is_in_the_language_that_it_speaks(language, text):
    rule = settle("inc", text, frozenset(rule.language for rule in RULES["inc"]))
    assert rule is not None
    assert rule.language == language, rule.reason


def test_nothing_telling_is_left_to_the_classifier():
    assert settle("inc", "hello world\n", frozenset(rule.language for rule in RULES["inc"])) is None

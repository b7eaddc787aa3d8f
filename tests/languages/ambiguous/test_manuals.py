"""Manual pages, other roff, and what shares roff's extensions."""

from languages.ambiguous.telling import told_apart

_MAN = '.\\" a page\n.TH FOO 1 "2020-01-01"\n.SH NAME\nfoo \\- do\n'
_MDOC = ".Dd January 1, 2020\n.Dt FOO 3\n.Os\n.Sh NAME\n.Nm foo\n"
CASES = [
    *(
        (section, "Roff Manpage", page)
        for section in [
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "7",
            "8",
            "9",
            "1in",
            "1m",
            "1x",
            "3in",
            "3m",
            "3p",
            "3pm",
            "3qt",
            "3x",
        ]
        for page in (_MAN, _MDOC)
    ),
    ("3", "Roff Manpage", ".so man3/printf.3\n"),
    ("1", "Roff Manpage", "'\\\" t\n.TH A 1\n"),
    ("1", "Roff Manpage", ".SH NAME\nfoo\n.PP\ntext\n"),
    ("1", "Roff", ".TL\nA paper\n.AU\nMe\n.PP\ntext\n"),
    ("5", "Roff", '.\\" only a comment\n'),
    ("man", "Roff Manpage", _MAN),
    ("man", "Roff Manpage", "plain\n"),
    ("man", "Roff", ".de XX\n.nr a 1\n..\n"),
    ("mdoc", "Roff Manpage", _MDOC),
    ("n", "Roff", ".TH expr n 8.5 Tcl\n.SH NAME\n"),
    ("n", "Roff", "'\\\" Copyright\n"),
    ("n", "Nemerle", 'using System.Console;\n\nmodule Main {\n  Main() : void { WriteLine("hi") }\n}\n'),
    ("n", "Nemerle", "// comment\ndef x = 1;\n"),
    ("nr", "Noir", "fn main(x: Field, y: pub Field) {\n    assert(x != y);\n}\n"),
    ("nr", "Noir", "use dep::std;\nmod foo;\n"),
    ("nr", "Noir", "// empty\n"),
    ("nr", "Roff", ".nr x 1\n.ds y z\n"),
    ("ms", "Roff", ".TL\nTitle\n.AU\nMe\n.PP\nText.\n"),
    ("ms", "Roff", '.\\" macros\n'),
    ("ms", "Unix Assembly", "\t.text\n\t.globl f\nf:\n\tret\n"),
    ("ms", "Unix Assembly", "# strlen\n\tmovl 4(%esp), %eax\n"),
    ("ms", "MAXScript", 'rollout r "Tool" (\n  button b "Go"\n  on b pressed do messageBox "hi"\n)\n'),
    ("ms", "MAXScript", "fn add a b = a + b\n"),
    ("ms", "MAXScript", "-- comment\nfor o in selection do print o.name\n"),
    ("ms", "MiniScript", 'print "Hello"\n'),
    ("ms", "MiniScript", '// greet\nf = function(name)\n  return "hi " + name\nend function\n'),
    ("ms", "MiniScript", "if x > 1 then\n  print x\nend if\n"),
    ("rno", "RUNOFF", ".LEFT MARGIN 5.RIGHT MARGIN 70\n.PARAGRAPH\nText\n"),
    ("rno", "RUNOFF", ".lm 8 .rm 72\n.hl1 Title\n.c;Centered\n"),
    ("rno", "RUNOFF", "plain text\n"),
    ("rno", "Roff", '.\\" troff\n.TH A 1\n.SH NAME\n'),
    ("rno", "Roff", ".de P\n.br\n.sp\n..\n.PP\n\\fBbold\\fR\n"),
]


test_a_page_is_known_by_its_macros = told_apart(CASES)

"""Tokens of a file as Linguist's classifier counts them: words, operators, and one token for each comment.

Literals are left out, and so is the text of comments; a token has at most 16 bytes. Linguist's own scanner is code, not
one of its tables, so this one was written anew, from the answers that Linguist 7.22.1 gives to short inputs; the tests
hold such answers, `bench/linguist_agreement.py` compares whole files. A NUL byte is taken for a blank (there it ends a
string). Linear in the length, about 10 MB/s.
"""

import re

MAX_TOKEN = 16  # bytes

# Comment marks and what ends them; the longer mark first.
_BLOCKS = (
    (rb"/\*\*(?!/)", rb"\*/"),
    (rb"/\*!", rb"\*/"),
    (rb"/\*", rb"\*/"),
    (rb"<!--", rb"-->"),
    (rb"\{-", rb"-\}"),
    (rb"\(\*", rb"\*\)"),
    (rb'"""', rb'"""'),
    (rb"'''", rb"'''"),
)
_BLOCK = b"|".join(b"(?:%s)(?s:.*?)(?:%s|\\Z)" % pair for pair in _BLOCKS)
_MARK = re.compile(b"|".join(mark for mark, _ in _BLOCKS))

# The program of a "#!" line (any line); then comments that begin a line, some only in its first column.
_ENV = rb"\#![ \t]*(?:[A-Za-z0-9_/]*/)?env(?:[ \t]+[^ \t=]*=[^ \t]*)*[ \t]+[A-Za-z_]+"
_PROGRAM = rb"\#![ \t]*[A-Za-z_/]+"
_COMMENT = rb"""
    [ \t]*(?://[^\n]*|(?:--|\#+|%+|;+|")(?:[ ][^\n]*|\n))
  | (?:\$![ ]|['.]\\")[^\n]*
"""

_STRING = rb"""
    "(?:[^"\\\n]|\\(?s:.)|\\\Z)*(?:["\n]|\Z)
  | '(?:[^'\\\n]|\\(?s:.)|\\\Z)*(?:['\n]|\Z)
"""

# A number loses against a word that is longer (1_000, 12px), and wins where a dot or a sign makes it the longer one.
_NUMBER = rb"""(?>
    0x[0-9a-fA-F][0-9a-fA-F.]*[eE][-+][0-9]*[fFlL]*
  | 0x[0-9a-fA-F][0-9a-fA-F.]*(?:[uU][lL]{0,2}|[fFlL]*)
  | [0-9][0-9.]*(?:[uU][lL]{0,2}|[eE][-+][0-9]*[fFlL]*|[fFlL]*)
)"""
_LONGER = rb"(?=[0-9]+(?:\.|[eE][-+])|0x[0-9a-fA-F]+(?:\.|[eE][-+]))"
_WORD = rb"[.@\#$]?[A-Za-z0-9_]+"

# Which signs stand together; where two of these begin alike, the one that can become longer is first.
_OPERATOR = rb"""
    <&-? | </?[!\#%?@] | <+-+ | [!%?]> | !~ | =~ | -+>+ | &>>? | >& | \|& | &\|
  | [<>]*=+[<>]* | /=+ | [<>/]+
  | !+=* | [-+*%&|^~:]=+ | :-
  | \.\*+\?? | \.\++\?? | \(\?: | \$\(+ | \$\{+ | \$\[\]+
  | \(+\)* | \)+ | \[+\]* | \]+ | \{+\}* | \}+
  | \#+ | \$+ | %+ | &+ | \*+ | \++ | ,+ | -+ | \.+ | :+ | ;+ | \?+ | @+ | \\+ | \^+ | `+ | \|+ | ~+
"""

_SCANNER = re.compile(
    rb"(?:(?<=\n)|\A)(?:(?P<env>%s)[^\n]*|(?P<program>%s)[^\n]*|(?P<comment>%s))" % (_ENV, _PROGRAM, _COMMENT)
    + b"|(?P<block>%s)|%s" % (_BLOCK, _STRING)
    + b"|%s%s|%s(?![A-Za-z0-9_])" % (_LONGER, _NUMBER, _NUMBER)
    + b"|(?P<token>%s|%s)" % (_WORD, _OPERATOR),
    re.VERBOSE,
)


def tokenize(data: bytes) -> list[bytes]:
    """The tokens of `data`, in their order.

    >>> tokenize(b"#include <x.h> // why\\nint a = 0x1F;")
    [b'#include', b'<', b'x', b'.h', b'>', b'//', b'why', b'int', b'a', b'=', b';']
    """
    tokens = []
    for found in _SCANNER.finditer(data.replace(b"\0", b" ")):
        kind = found.lastgroup
        if kind == "token":
            tokens.append(found[0][:MAX_TOKEN])
        elif kind == "block":
            mark = _MARK.match(found[0])
            tokens.append(b"COMMENT" + (mark[0] if mark else b""))
        elif kind == "comment":
            tokens.append(b"COMMENT" + _mark(found[0].lstrip(b" \t")))
        elif kind == "env":
            tokens.append(b"SHEBANG#!" + found["env"].rpartition(b" ")[2][:MAX_TOKEN])
        elif kind == "program":
            program = found["program"].rpartition(b"/")[2]
            if program != b"env":
                tokens.append(b"SHEBANG#!" + program[:MAX_TOKEN])
    return tokens


def _mark(comment: bytes) -> bytes:
    if comment.startswith((b"'", b".")):
        return comment[:3]
    return comment[:2] if comment.startswith((b"//", b"--", b"$")) else comment[:1]

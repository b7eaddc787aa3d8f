"""Twin of lexical_lexer, in plain Python: see lexical_twin.py."""

import re

from starloom.kernels.lexical_closing_twin import FORMS, find, here_word, marked, regex, size, string
from starloom.kernels.lexical_lexer import LEVELS, PENDING
from starloom.kernels.lexical_rules import (
    BEFORE_VALUE,
    COMMENT,
    DECLARES,
    KEYWORD,
    SKIPPED,
    STRING,
    Rule,
    Syntax,
    ordered,
    word_kinds,
)

WHITE = b" \t\n\v\f\r"
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
DIGITS = b"0123456789"
SPACED = b" \t\n\v\f\r;&|(){}<>`,["
SYMBOLS = b"!#$%&*+./<=>?@\\^|~:-"
MARKS, MARKS_APART, SIGILS = b"/|!{([<#~\"'@^:+%`$", b"{([</|'\"!", b"$@%&*>-.:"

Span = tuple[int, int, int]


class Lexer:
    """One text; `run` fills `spans`, `words` and `documented`."""

    def __init__(self, text: bytes, syntax: Syntax) -> None:
        self.text, self.syntax = text, syntax
        self.rules = ordered(syntax.rules)
        self.spans: list[Span] = []
        self.words: list[int] = []  # characters of each identifier
        self.documented = False
        self.kinds = word_kinds()
        self.stack: list[tuple[Rule, list[int], bytes]] = []
        self.here: list[tuple[bytes, bool]] = []
        self.p = self.line = 0
        self.blank = self.value = True
        self.named = self.code_here = self.comment_here = self.above = self.joined = False
        self.depth = 0
        self.word = (-1, -1, False, False)  # start, end, first on its line, counted

    def at(self, p: int) -> bytes:
        return self.text[p : p + 1]

    def run(self) -> None:
        text = self.text
        if text.startswith(b"\xef\xbb\xbf"):
            self.p = 3
        if self.syntax.outside:
            first = next((r for b in sorted(self.rules) for r in self.rules[b] if r.kind == SKIPPED and r.close), None)
            if first:
                self.p = self.block(self.p, first)
        self.line = self.p
        self.define = self.syntax.lisp and text.startswith(b"(def", self.p)
        while self.p < len(text):
            c = self.at(self.p)
            if self.rule():
                continue
            if (c and c in LETTERS) or c >= b"\x80":
                self.read_word()
            elif c in DIGITS:
                self.number()
            elif c == b"\n":
                self.newline()
            elif c in WHITE:
                self.p += 1
            else:
                self.sign(c)

    # What opens

    def rule(self) -> bool:
        for rule in self.rules.get(self.text[self.p], ()):
            inside = self.opens(rule)
            if inside is None:
                continue
            if set("Hh") & set(rule.flags):
                self.named = False
                if len(self.here) < PENDING:
                    self.here.append(here_word(self.text[self.p : inside]))
                self.p = inside
                self.blank, self.value, self.code_here = False, False, True
                return True
            found = self.closes(rule, inside)
            if found is not None:
                self.named = False
                self.take(rule, *found)
                return True
        return False

    def opens(self, rule: Rule) -> int | None:
        text, p, flags = self.text, self.p, rule.flags
        inside = p + len(rule.open)
        opening = text[p:inside]
        if opening != rule.open and not ("i" in flags and opening.lower() == rule.open):
            return None
        before, after = text[p - 1 : p] if p else b"\n", self.at(inside) or b"\n"
        first = p == self.line
        word = before in LETTERS + DIGITS + self.syntax.inner or before >= b"\x80"
        if ("0" in flags and not first) or ("b" in flags and not self.blank) or ("7" in flags and p - self.line != 6):
            return None
        if "s" in flags and not first and before not in SPACED:
            return None
        if ("w" in flags or "q" in flags) and word and not first:
            return None
        if "q" in flags and before in b")]}'\".":
            return None
        if "v" in flags and not self.value and "V" not in flags:
            return None
        if "V" in flags and not self.value:
            follows = self.at(p + 1)
            if not (self.named and follows and follows not in WHITE + b"=" and before in b" \t"):
                return None
        if "W" in flags and (after in LETTERS + DIGITS or after >= b"\x80"):
            return None
        if "a" in flags and after not in WHITE:
            return None
        if "o" in flags:
            if p and before in SYMBOLS:
                return None
            rest = text[inside:].lstrip(text[p : p + 1])[:1]
            if rest and rest in SYMBOLS:
                return None
        return self.form(rule, inside)

    def form(self, rule: Rule, inside: int) -> int | None:
        text, p = self.text, self.p
        for flag, pattern in FORMS:
            if flag in rule.flags:
                found = re.compile(pattern).match(text, inside)
                return found.end() if found else None
        if "Q" in rule.flags or "2" in rule.flags:
            if p and text[p - 1 : p] in SIGILS:
                return None
            if self.at(inside) and self.at(inside) in MARKS:
                return inside
            apart = inside + len(text[inside:]) - len(text[inside:].lstrip(b" \t"))
            word = rule.open[:1] in LETTERS and self.at(p) in LETTERS
            return apart if word and apart > inside and self.at(apart) and self.at(apart) in MARKS_APART else None
        return inside

    # What closes: (end, whether code follows), or None

    def closes(self, rule: Rule, inside: int) -> tuple[int, bool] | None:
        text, flags, n = self.text, rule.flags, len(self.text)
        if "c" in flags:
            return self.character(inside, rule.close[:1])
        if "R" in flags:
            return regex(text, inside)
        if "Q" in flags or "2" in flags:
            return marked(text, inside, "2" in flags)
        if "P" in flags:
            found = re.compile(rb"\n=cut[^\n]*").search(text, inside)
            return (found.end() if found else n), False
        if "L" in flags:
            equals = len(text[: inside - 1]) - len(text[: inside - 1].rstrip(b"="))
            return find(text, b"]" + b"=" * equals + b"]", inside), False
        if "X" in flags:
            mark = text[text.rindex(b'"', 0, inside) + 1 : inside - 1]
            return find(text, b")" + mark + b'"', inside), False
        if "U" in flags:
            opening = text[self.p : inside - 1]
            return find(text, b'"' + b"#" * (len(opening) - len(opening.rstrip(b"#"))), inside), False
        if not rule.close and rule.kind == SKIPPED:
            return inside, False
        if not rule.close:
            end = text.find(b"\n", inside)
            end = n if end < 0 else end
            return (end - 1 if self.p < end < n and text[end - 1] == 0x0D else end), False
        if rule.kind != STRING:
            return self.block(inside, rule), False
        end, status = string(text, inside, rule)
        return None if status == "failed" else (end, status == "code")

    def character(self, p: int, quote: bytes) -> tuple[int, bool] | None:
        if self.at(p) == b"\\":
            line = self.text[p + 2 : p + 14]
            end = line.split(b"\n")[0].find(quote)
            return (p + 2 + end + 1, False) if end >= 0 else None
        if self.at(p) in (b"", b"\n", quote):
            return None
        end = p + 1
        while self.at(end) and 0x80 <= self.text[end] < 0xC0:
            end += 1
        return (end + 1, False) if self.at(end) == quote else None

    def block(self, p: int, rule: Rule) -> int:
        depth = 1
        again = rule.open[: len(rule.close)]
        while p < len(self.text):
            if self.text.startswith(rule.close, p):
                before = self.text[:p].rstrip(b" \t")
                if "l" not in rule.flags or not before or before.endswith(b"\n"):
                    depth -= 1
                p += len(rule.close)
                if not depth:
                    return p
            elif "n" in rule.flags and self.text.startswith(again, p):
                depth += 1
                p += len(again)
            else:
                p += 1
        return len(self.text)

    # What was found

    def take(self, rule: Rule, end: int, code: bool) -> None:
        kind, start, text = rule.kind, self.p, self.text
        if kind == STRING:
            word_start, word_end, word_first, counted = self.word
            short = word_end == start and start - word_start <= 2
            if short and counted:
                self.words.pop()
                self.word = (word_start, word_end, word_first, False)
            statement = self.syntax.docstrings and not self.depth and not self.stack and not self.joined and not code
            if statement and (self.blank or (short and word_first)) and re.match(rb"[ \t\r;]*(\n|#|\Z)", text[end:]):
                kind, self.documented = COMMENT, True
                start = word_start if short else start
            elif self.define and self.blank:
                kind, self.documented = COMMENT, True
            self.define = False
            if kind == STRING:
                self.value = False
                self.code_here = True
            self.blank = False
        elif kind == COMMENT:
            self.documented |= "D" in rule.flags
            self.comment_here |= self.blank
        else:
            self.value, self.blank, self.code_here = False, False, True
        if kind != SKIPPED:
            self.spans.append((start, end, kind))
        if code:
            self.push(rule, end)
        newline = text.rfind(b"\n", self.p, end)
        if newline >= 0:
            self.line, self.blank, self.above = newline + 1, self.blank or kind == COMMENT, False
            self.comment_here = kind == COMMENT
            self.value |= kind == SKIPPED
        self.p = end
        if "k" in rule.flags and end < len(text) and self.at(end) != b"\n":
            self.p += 1
            while self.p < len(text) and 0x80 <= text[self.p] < 0xC0:
                self.p += 1
        if "Z" in rule.flags:
            pod = re.compile(rb"\n=[a-zA-Z]").search(text, self.p)
            self.p = self.line = pod.start() + 1 if pod else len(text)
            self.blank = True

    def push(self, rule: Rule, end: int) -> None:
        if len(self.stack) < LEVELS:
            self.stack.append((rule, [0], b")" if self.text[end - 1 : end] == b"(" else b"}"))
        self.value = True

    def read_word(self) -> None:
        start = self.p
        allowed = LETTERS + DIGITS + self.syntax.inner
        characters = 0
        while self.p < len(self.text):
            c = self.at(self.p)
            width = 1
            if c >= b"\x80":
                width = size(c)
                one = self.text[self.p : self.p + width].decode()
                if not one.isalnum():
                    break
            elif c not in allowed:
                break
            characters += 1
            self.p += width
        if not characters:
            self.p += size(self.at(self.p))
            self.blank, self.value, self.named, self.code_here = False, True, False, True
            return
        what = self.kinds.get(self.text[start : self.p], 0)
        counted = not what & KEYWORD and not self.syntax.text
        self.word = (start, self.p, self.blank, counted)
        if counted:
            self.words.append(characters)
        self.documented |= bool(self.above and self.syntax.above and what & DECLARES)
        self.blank, self.code_here, self.value, self.named = False, True, bool(what & BEFORE_VALUE), True

    def number(self) -> None:
        pattern = rb"[0-9](?:[0-9A-Za-z_]|'(?=[0-9a-fA-F]))*" if self.syntax.separators else rb"[0-9A-Za-z_]+"
        found = re.compile(pattern).match(self.text, self.p)
        self.p = found.end() if found else self.p + 1
        self.blank, self.value, self.named, self.code_here = False, False, False, True

    def newline(self) -> None:
        text = self.text
        self.joined = bool(re.search(rb"\\\r?\Z", text[: self.p]))
        self.p += 1
        self.named = False
        self.above = not self.code_here and self.comment_here
        self.code_here = self.comment_here = False
        while self.stack and "m" not in self.stack[-1][0].flags:
            self.stack.pop()
        for word, indented in self.here:
            blank = rb"[ \t]*" if indented else b""
            pattern = rb"^" + blank + re.escape(word) + rb"(?![0-9A-Za-z_\x80-\xff])"
            found = re.compile(pattern, re.MULTILINE).search(text, self.p) if self.p < len(text) else None
            if found:
                self.spans.append((self.p, found.end(), STRING))
                self.p = found.end()
        self.here = []
        self.line, self.blank, self.value = self.p, True, not self.joined
        if self.syntax.lisp and self.at(self.p) == b"(":
            self.define = text.startswith(b"(def", self.p)

    def sign(self, c: bytes) -> None:
        self.p += 1
        if c in b"([{":
            self.depth += 1
        elif c in b")]}":
            self.depth = max(self.depth - 1, 0)
        self.value = c not in b")]"
        self.blank, self.named, self.code_here = False, False, True
        if not self.stack:
            return
        rule, inner, closer = self.stack[-1]
        if c != closer:
            inner[0] += c == (b"(" if closer == b")" else b"{")
        elif inner[0]:
            inner[0] -= 1
        else:
            self.stack.pop()
            end, status = string(self.text, self.p, rule)
            self.spans.append((self.p - 1, end, STRING))
            self.value = False
            if status == "code":
                self.push(rule, end)
            newline = self.text.rfind(b"\n", self.p, end)
            self.line = newline + 1 if newline >= 0 else self.line
            self.p = end

"""What a name is given, however it is written: `api_key = "…"`, JSON, YAML, .env, XML, headers, calls, command lines.

It is not asked in which language a text is: the forms are told by their punctuation. Looked at are some 600 characters
from an anchor on and 130 before it. Nearly always nothing is given, so that what tells it soonest is asked first.
"""

import re
from collections.abc import Callable
from string import ascii_letters, digits
from typing import Literal, NamedTuple, TypeAlias

from starloom.privacy.detector import Around

LONGEST = 400  # characters of a value
_NAME = 48  # characters of a name before the anchor

How: TypeAlias = Literal["quoted", "listed", "element", "inner", "line", "option", "bare"]

_FORWARD = re.compile(
    r"""
    (?P<rest>[A-Za-z0-9_.-]{0,40}) (?=[\s"'`\\*,\]:\[=!>?|+({<]|or\ )  # before anything else it is given nothing
    (?P<close>\\?["'`]|\*\*)?
    (?:
        ,?\s{1,40}+(?:[a-z-]{1,20}+=["'][^"'<>\n]{0,40}["']\s{1,9}){0,3}
        ["']?(?:value|content|default)["']?\s?[:=]\s?            # <add key="…" value="…"/>, - name: … value: …
      | \ (?P<prose>(?:is|was)(?:\ set\ to)?:?|to)\               # The key is …; set key to …
      | (?P<bracket>\)?\]?)
        (?:                                                   # what stands between a name and its value: a type
            \s?:\s?&?(?:'static\ )?[A-Za-z_][\w.<>\[\]|?&]{0,30}(?:\ ?\|\ ?(?:null|None|undefined))?(?=\s?=)
          | \ [A-Za-z][\w.<>\[\]*]{0,20}+(?=\s{1,3}=)
          | \[\d{0,4}\](?=\s?=)
        )?
        [ \t]{0,24} (?P<operator>===?|!==?|=>|:=|\?\?=?|\|\|=?|\?=|\+=|:\*\*|:-|or(?=\ )|[=:(,>{|]|<-|[ ])
        \s{0,40}
        (?:!!?[a-z]{1,12}\ )?                                 # YAML's type
        (?:(?:new\ )?(?:[A-Za-z_]\w{0,20}(?:::|\.))?           # what makes a string of a literal
           (?:from|[sS]tr|(?:\w{1,20})?[sS]tring(?:Literal)?|bytes|Some|Secret\w{0,12}|_T|TEXT)(?:::(?:new|from))?
           \((?=@?\\?["'`])
         | \[\]byte\((?=["`])
         | [A-Za-z_$][\w.$]{0,60}(?:[(\[]["'`]\w{1,40}["'`][)\]])?\s?(?:\|\||\?\?|or)\s{1,4}(?=["'`]) # x = other || "…"
        )?
    )
    (?:(?:[bBrRuUfFL@$]|[bB][rR]|[rR][bB]|String\.raw)(?=["'`]))?
    (?:""(?=")|''(?='))?                                       # of three quotes two
    (?P<open>\\?["'`])?
    """,
    re.X | re.A,
)
_QUOTED = {
    '"': re.compile(r'((?:[^"\\\n]|\\.){0,400})"'),
    "'": re.compile(r"((?:[^'\\\n]|\\.){0,400})'"),
    "`": re.compile(r"((?:[^`\\\n]|\\.){0,400})`"),
    '\\"': re.compile(r'((?:[^"\\\n]|\\(?!")){0,400})\\"'),
    "\\'": re.compile(r"((?:[^'\\\n]|\\(?!')){0,400})\\'"),
    "\\`": re.compile(r"((?:[^`\\\n]|\\(?!`)){0,400})\\`"),
}
_BARE = re.compile(r"[^\s\"'`<>(){}\[\],;&|\\]{4,400}")
_CALLS = ("(", "[")  # after a name
_QUOTED_ONLY = frozenset({",", "(", "{", "<-", "||", "or", "??"})  # operators that give no bare value
_PATH = re.compile(r"[A-Za-z_][\w.:]*", re.A)
_ELEMENT = re.compile(r"([^\s<>]{4,400})</")
_NAMED = ascii_letters + digits + "_.$-"
_LINE = re.compile(r"(?:\A|\n)[ \t]*(?:(?:export|set|ENV|ARG|setenv|declare|--?|#|//|/?\*|<!--)[ \t]+)*[\"'*]{0,2}\Z")
_ALONE = re.compile(r"[ \t]{0,8}(?:\*/|-->)?[ \t]{0,8}(?:\r|\n|\Z)")
_TERNARY = re.compile(r"\?\s?\\?[\"'`]\Z")
_ATTRIBUTE = re.compile(r"(?:name|key|id)\s?=\s?[\"']\Z")
_GIVING = re.compile(
    r"(?:define|[sg]et\w{0,20}|put\w{0,20}|add\w{0,20}|\w{0,20}header|env|property)\s?\(\s?\\?[\"'`]\Z", re.I
)
_GIVES = re.compile(  # stands before; looked back at, as it is asked in all prose
    r"(?<=[ ])(?:(?<=#define )|(?<=\bENV )|(?<=SetEnv )|(?<=\bsetx )|(?<=setenv )|(?<=set -x )|(?<=set -gx )|"
    r"(?<=\(def )|(?<=\(def\w )|(?<=\(def\w\w )|(?<=\(def\w\w\w )|(?<=\(set )|(?<=\(setq ))"
)
_CLAUSE = re.compile(r"\b(?:WITH|SET|ENCRYPTED|AND|IDENTIFIED BY) \Z", re.I)
_ROW = re.compile(r"\|[ \t]{0,24}[`*\"']{0,3}\Z")
_DEFAULT = re.compile(r"\$\{\Z")  # ${NAME:value}, ${NAME:-value}
_OPTION = re.compile(r"(?:[?&]|\s(?:-e|--env|-D)[ =]?)\Z")
_COMMAND = re.compile(r"[ \t]{1,4}(?:\./|[a-z$][\w./$-]{1,30}(?:[ \t\n]|\Z))")
_TAG = re.compile(r"<(?:[A-Za-z][\w-]{0,30}:)?\Z")


# What the gate asks for around an anchor (see Detector.around), of the forms above nothing left out: most names are
# given nothing, and it tells. After a mere space a value stands only of an option, a macro, a clause: see _may_follow.
_FORM = r"""
[\w.-]*(?:\\?["'`]|\*\*)?(?:
,?\s+(?:[a-z-]+=["']|["']?(?:value|content|default))
|\)?\]?(?:\s?:\s?&?(?:'static )?[a-z_][\w.<>\[\]|?& ]*| [a-z][\w.<>\[\]*]*\s*|\[\d*\]\s?)=
|(?:\)?\]?[ \t]*(?:===?|!==?|=>|:=|\?\?=?|\|\|=?|\?=|\+=|:\*\*|:-|[=:|])\s*(?:!!?[a-z]+ )?
| (?:is|was|to)(?: set to)?:? )(?:QUOTED|BARE)
|\)?\]?[ \t]*(?:>|or|[,({]|<-)\s*QUOTED
|[ \t]*>[^\s<>]{4})
""".replace("\n", "")
_AFTER_SPACE = r"""[\w.-]*(?:\\?["'`]|\*\*)?\)?\]? \s*(?:!!?[a-z]+ )?(?:QUOTED|BARE)"""
_BEFORE_SPACE = r"""
(?:-|(?:#define|env|setx|set -g?x|\(def\w{0,3}|\(setq?|th|et|ed|nd|by) ?|[ {(\n]:
|\n[ \t]*(?:WORD[ \t]+)*(?:WORD|["'*]*))[\w.$-]*
""".replace("\n", "").replace("WORD", r"(?:export|set|env|arg|setenv|declare|--?|#|//|/?\*|<!--)")
_OPENED = r"""[\w.:$@ (\[\]|?\\]*(?:(?:["'`]\w+["'`][)\]])?\s?(?:\|\||\?\?|or)\s+)?"""
_NEVER = r"""\s"'`<>(){}\[\],;&|\\"""  # in no value without quotes
_NO_CALL = r"(?:[\w.:]{12}|[\w.:]{0,11}[^\w.:(\[])"  # a path that is long, or not called


def gate(plain: str, other: str, most: int) -> tuple[Around, ...]:
    """What stands around an anchor where a value has at least `most` of the bytes of `plain`, or one of `other`: sets
    without the bytes NEVER, those of which there are none in a value. In quotes half as many are enough, as a byte may
    be escaped."""
    value = f"(?:{plain}{{0,{most - 1}}}{other}|{plain}{{{most}}}){_NO_CALL}"
    no_path = f"[\\w.:]{{1,{most - 1}}}[^\\w.:NEVER]|(?:[0-9.:]|[^\\w.:NEVER])[^NEVER]{{3}}"
    bare = f"(?:{value}|{no_path})".replace("NEVER", _NEVER)
    value = f"(?:{plain}{{0,{most // 2 - 1}}}{other}|{plain}{{{most // 2}}})"
    quoted = "|".join(f"{q}(?:{q}{q})?(?:\\\\{q})*{value}".replace("NEVER", rf"\s{q}") for q in "\"'`")
    forms = (one.replace("QUOTED", f"{_OPENED}(?:{quoted})").replace("BARE", bare) for one in (_FORM, _AFTER_SPACE))
    return tuple(map(Around, ("", _BEFORE_SPACE), forms))


class Assigned(NamedTuple):
    """`name`: in full, as far as 48 characters before the anchor; value: text[start:end], without quotes. `how`: what
    tells that it is a value: "quoted", "listed" (quoted, but only after a comma or in a call), "element" (between
    tags), "inner" (name and value in the same quotes: "NAME=value"), "line" (bare, and all that the line assigns),
    "option" (bare, where nothing but a value can stand: of a command, its environment, an address's query), "bare"
    (within a string, an address, a sentence)."""

    name: str
    start: int
    end: int
    how: How
    operator: str


def assigned(text: str, at: int, likely: Callable[[str], bool] | None = None) -> Assigned | None:
    """What the name that has character `at` in it is given; None where it is given nothing that is written out, or
    nothing that is `likely`."""
    forward = _FORWARD.match(text, at, at + 2 * LONGEST)
    if forward is None:
        return None
    start, operator = forward.end(), forward["operator"] or {"": "value", "to": "to"}.get(forward["prose"] or "", "is")
    if operator in _QUOTED_ONLY and not forward["open"]:
        return None
    before = text[max(at - _NAME, 0) : at]
    first = at - len(before) + len(before.rstrip(_NAMED))
    name = text[first:at] + forward["rest"]
    if operator == " " and not _may_follow(text, first, name, forward):
        return None
    if forward["open"]:
        given = _QUOTED[forward["open"]].match(text, start, start + LONGEST + 2)
    elif operator == ">":
        given = _ELEMENT.match(text, start, start + LONGEST + 2) if text[start - 1] == ">" else None
    else:
        given = _BARE.match(text, start, start + LONGEST)
    if given is None or (
        not forward["open"] and text[given.end() : given.end() + 1] in _CALLS and _PATH.fullmatch(given[0])
    ):
        return None
    end = given.end() if not given.lastindex else given.end(1)
    if operator in ("to", "is") and not forward["open"] and text[end - 1] == ".":
        end -= 1
    if likely is not None and not likely(text[start:end]):
        return None
    how = _how(text, first, end, forward, operator)
    if how is None:
        return None
    return Assigned(name, start, end, how, operator)


def _may_follow(text: str, first: int, name: str, forward: re.Match[str]) -> bool:
    """Whether a value may stand after a mere space: of an option, a macro, a clause of SQL."""
    return (
        name.startswith("--")
        or _GIVES.match(text, first) is not None
        or (
            forward["open"] in ('"', "'")
            and not forward["close"]
            and _LINE.search(text, max(first - 80, 0), first) is not None
        )
        or (forward["open"] == '"' and text.startswith(":", first - 1) and text[first - 2 : first - 1] in " {(\n")
        or (
            forward["open"] == "'"
            and not forward["close"]
            and _CLAUSE.search(text, max(first - 20, 0), first) is not None
        )
    )


def _how(text: str, first: int, end: int, forward: re.Match[str], operator: str) -> How | None:
    """What tells that text[…:end] is a value of the name that begins at `first`; None where it is none."""
    close = forward["close"]
    if text[max(first - 1, 0) : first] == "/" or (forward["bracket"] and forward["bracket"][0] == ")" and not close):
        return None  # a path; a call
    back = max(first - 40, 0)
    if close and ((operator == ":" and _TERNARY.search(text, back, first)) or "$" in text[first : forward.start()]):
        return None
    over_lines = "\n" in text[forward.end("rest") : forward.end()]
    if operator == ">":
        pattern = _ATTRIBUTE if close else _TAG
        return "element" if not forward["open"] and pattern.search(text, back, first) else None
    if operator == "|":
        if not _ROW.search(text, back, first):
            return None
        return "listed" if forward["open"] else "bare"
    if forward["open"]:
        if operator == ",":
            if not close or over_lines:
                return None
            return "quoted" if text.startswith("--", first) or _GIVING.search(text, back, first) else "listed"
        if operator == " " and not (_GIVES.match(text, first) or _CLAUSE.search(text, max(first - 20, 0), first)):
            return "listed"
        return "listed" if operator == "(" else "quoted"
    if over_lines and operator != "value":
        return None
    if (
        (operator != ":" or text[forward.end() - 1] == " ")
        and first
        and end < len(text)
        and text[end] == text[first - 1]
        and text[end] in "\"'`"
    ):
        return "inner"
    alone = _ALONE.match(text, end) is not None
    if operator == "value":
        return "line" if alone else None
    if alone and operator not in ("to", "is") and _LINE.search(text, max(first - 80, 0), first):
        return "line"
    return "option" if _is_option(text, first, end, forward) else "bare"


def _is_option(text: str, first: int, end: int, forward: re.Match[str]) -> bool:
    if text[end : end + 1] in ("(", "[", "<", "{"):
        return False
    if text.startswith("--", first):
        return forward["operator"] in ("=", " ")
    if text.startswith("}", end) and forward["operator"] in (":", ":-"):
        return _DEFAULT.search(text, max(first - 2, 0), first) is not None
    if text[forward.end() - 1] != "=" or forward["operator"] != "=" or text[forward.end() - 2].isspace():
        return False
    return _OPTION.search(text, max(first - 8, 0), first) is not None or (
        _COMMAND.match(text, end) is not None and _LINE.search(text, max(first - 80, 0), first) is not None
    )

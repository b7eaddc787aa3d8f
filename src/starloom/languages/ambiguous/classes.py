"""`.cls`: classes of Apex, ObjectScript, OpenEdge ABL and Basic, and TeX's document classes.

Limit: a class exported by VBA's editor and one by Visual Basic 6's differ in the header only (the latter lists
`Persistable` and its like); without a header the objects used decide.
"""

from starloom.languages.ambiguous.basics import OFFICE, VB6
from starloom.languages.ambiguous.rule import Rule

_HEADER = r"\A\ufeff?\s*VERSION[ \t]+\d"
_BASIC = (
    r"(?i)^[ \t]*(?:attribute[ \t]+vb_|option[ \t]+(?:explicit|compare|base)\b|(?:public|private"
    r"|friend)[ \t]+(?:sub|function|property[ \t]+(?:get|let|set)|declare|withevents|event)\b"
    r"|end[ \t]+(?:sub|function|property)\b|dim[ \t]+\w+[ \t]+as\b|(?:sub"
    r"|function)[ \t]+\w+[ \t]*\([^)\n]*\)(?:[ \t]*as[ \t]+\w+)?[ \t]*\r?$)"
)

RULES = {
    "cls": (
        Rule(
            "Visual Basic 6.0",
            "a class's header with what only Visual Basic 6 writes",
            _HEADER,
            also=r"^[ \t]*(?:Persistable|DataBindingBehavior|DataSourceBehavior|MTSTransactionMode)[ \t]*=",
        ),
        Rule("VBA", "a class's header as VBA's editor exports it", _HEADER, also=r"^Attribute[ \t]+VB_|^BEGIN\b"),
        Rule(
            "TeX",
            "commands of TeX",
            r"\\(?:NeedsTeXFormat|Provides(?:Expl)?Class|ProvidesFile|LoadClass|RequirePackage|DeclareOption"
            r"|ExecuteOptions|ProcessOptions|(?:re|provide)?newcommand|renewcommand"
            r"|documentclass|newif|makeatletter|input|usepackage|newenvironment|DeclareRobustCommand|setlength)\b"
            r"|^[ \t]*\\(?:g?def|let|long|edef)\\",
        ),
        Rule("TeX", "the first line is a comment with %", r"\A\ufeff?\s*%", unless=r"^Class[ \t]+%?[\w.]+"),
        Rule(
            "ObjectScript",
            "Class Package.Name, members with %types",
            r"^Class[ \t]+%?[\w.]+(?:[ \t]+Extends\b|[ \t]*\[|[ \t]*\{|[ \t]*\r?$)|^(?:ClassMethod|Property"
            r"|Parameter|XData)[ \t]+\w+|^(?:Include|Import|IncludeGenerator)[ \t]+[\w(%]",
        ),
        Rule(
            "OpenEdge ABL",
            "statements that end with a period, CLASS … : and END CLASS.",
            r"(?i)^[ \t]*(?:using[ \t]+[\w.*]+(?:[ \t]+from[ \t]+\w+)?\.[ \t]*\r?$|(?:routine"
            r"|block)-level[ \t]+on[ \t]+error|end[ \t]+(?:class|method|constructor)[ \t]*\."
            r"|(?:define|def)[ \t]+(?:(?:input|output|public|private|protected|static|new|shared|override"
            r"|abstract)[ \t-]*)*(?:var(?:iable)?|temp-table|property|parameter|buffer|event|query|dataset|stream)\b"
            r"|(?:class|interface)[ \t]+[\w.-]+[^\n{]*:[ \t]*\r?$|(?:method|constructor|destructor)[ \t]+(?:public"
            r"|private|protected|static|override|abstract|final|void)\b[^\n{]*)",
            unless=r"^[ \t]*(?:public|private)[^\n]*\{[ \t]*\r?$",
        ),
        Rule(
            "Apex",
            "a class, interface or enum in braces",
            r"(?i)^[ \t]*(?:@\w+[^\n]*|(?:(?:public|private|protected|global|virtual|abstract|static"
            r"|with[ \t]+sharing|without[ \t]+sharing|inherited[ \t]+sharing)[ \t]+)*(?:class|interface"
            r"|enum)[ \t]+\w+[^\n:=]*(?:\{|\r?\n[ \t]*\{))",
        ),
        Rule("Visual Basic 6.0", "objects of a standalone program", VB6, also=_BASIC, unless=OFFICE),
        Rule("VBA", "Basic", _BASIC),
        Rule("Apex", "braces, C's comments", r"^[ \t]*(?://|/\*)|\{[ \t]*\r?$"),
        Rule("VBA", "comments with an apostrophe", r"^[ \t]*'"),
    ),
}

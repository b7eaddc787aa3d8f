"""Extensions that two or three rarer languages share.

These are `.fpp`, `.fr`, `.frag`, `.frm`, `.ftl`, `.fx`, `.gd`, `.gml`, `.gst`, `.gts`, `.ice`, `.jq`, `.ks`, `.lean`,
`.lisp`, `.lp`, `.lsp`, `.m4`, `.mask`, `.mc`, `.mm`, `.mo`, `.mojo`, `.moo`, `.mps`, `.mqh` and `.msg`.
"""

from starloom.languages.ambiguous.letters import FORTH
from starloom.languages.ambiguous.rule import Rule

_XML = r"\A\ufeff?\s*<[?!\w]"

_LISP = (
    Rule(
        "NewLisp",
        "define, context, comments of newLISP",
        r"^[ \t]*\((?:define[ \t(]|context[ \t]|define-macro\b|load[ \t]+\"|silent\b|set[ \t]+')|\A#!.*\bnewlisp\b"
        r"|^;; @(?:module|syntax|param)\b",
        unless=r"^[ \t]*\((?:defun|in-package|defpackage|defmacro|defvar|defparameter|setq)\b",
    ),
    Rule("Common Lisp", "no define"),
)

RULES = {
    "fpp": (
        Rule(
            "FPP",
            "components and ports of F Prime",
            r"^[ \t]*(?:(?:active|passive|queued)[ \t]+component|module[ \t]+\w+[ \t]*\{|(?:async|sync|guarded)[ \t]+"
            r"(?:command|input)|instance[ \t]+\w+[ \t]*:|topology[ \t]+\w|port[ \t]+\w|(?:enum|struct)[ \t]+\w+[ \t]*\{"
            r"|locate[ \t]+\w|constant[ \t]+\w+[ \t]*=|array[ \t]+\w+[ \t]*=|type[ \t]+\w+[ \t]*\r?$)",
        ),
        Rule("Fortran", "no component"),
    ),
    "fr": (
        Rule(
            "Frege",
            "modules, types with ::",
            r"^[ \t]*(?:package|module)[ \t]+[\w.]+|^import[ \t]+[\w.]+|^\w+[ \t]*::[ \t]|^(?:data|instance)[ \t]+\w"
            r"|^\{-|^--|^main[ \t]",
        ),
        Rule("Forth", "words defined with a colon, comments with a backslash", FORTH),
        Rule("Text", "prose"),
    ),
    "frag": (
        Rule(
            "JavaScript",
            "a fragment of a script",
            r"^[ \t]*(?:\(function\b|\}\)|function[ \t]*\w*\(|(?:var|let)[ \t]+\w+[ \t]*[=;]|return\b[^\n]*\{)",
            unless=r"\bgl_|\bvoid[ \t]+main\b|\bvec[234]\b|^[ \t]*#|\buniform\b",
        ),
        Rule("GLSL", "the usual fragment shader"),
    ),
    "frm": (
        Rule("VBA", "a form of Office: a class id", r"^VERSION 5\.00\r?\nBegin \{[0-9A-Fa-f]"),
        Rule("Visual Basic 6.0", "a form of Visual Basic", r"^VERSION \d|^Begin VB\.|^Attribute VB_"),
        Rule("INI", "sections in brackets or settings", r"^[ \t]*\[[^\]\n]+\]|^[\w-]+[ \t]*="),
    ),
    "ftl": (
        Rule("FreeMarker", "directives and interpolations", r"</?[#@]\w|\$\{[ ]?[^$ \n]|<#--|\[#\w|^<[!\w]"),
        Rule("Fluent", "messages with =", r"^-?[A-Za-z][\w-]*[ ]*=|^#{1,3}(?:[ ]|\r?$)"),
        Rule("FreeMarker", "text without messages"),
    ),
    "fx": (
        Rule(
            "FLUX",
            "nodes and their types with =>",
            r"^[ \t]*(?:source|typedef|atomic)[ \t]+\w|^[ \t]*\w+[ \t]*(?:\([^)\n]*\)[ \t]*)?=>"
            r"|^[ \t]*\w+[ \t]*=[ \t]*\w+[ \t]*->",
            unless=r"\b(?:technique|float4|sampler|pixelshader)\b",
        ),
        Rule("HLSL", "the usual effect"),
    ),
    "gd": (
        Rule(
            "GAP",
            "declarations, comments with ##",
            r"^[ \t]*(?:Declare\w+|BindGlobal|InstallMethod|InstallTrueMethod)[ \t]*\(|^##|:=",
            unless=r"^(?:extends|class_name|func|@tool|tool)\b",
        ),
        Rule("GDScript", "no declarations of GAP"),
    ),
    "gml": (
        Rule("XML", "a document", _XML),
        Rule("Graph Modeling Language", "graph in brackets", r"(?i)^[ \t]*(?:graph|Creator|node)[ \t]*(?:\[|\"|\r?$)"),
        Rule("Gerber Image", "commands that end with *", r"^(?:%[A-Z]{2}|G0\d[^\n]*\*)|^[GDM]\d+\*"),
        Rule("Game Maker Language", "no sign of another"),
    ),
    "gst": (Rule("XML", "a document", r"\A\ufeff?\s*<(?:\?xml|!|\w+:|gameSystem)"), Rule("Gosu", "a template")),
    "gts": (
        Rule("Gerber Image", "commands that end with *", r"^%[A-Z]{2}[^\n]*\*|^[GDMXY][-\dGDMXY]*\*|^G04"),
        Rule("Glimmer TS", "no commands of a plotter"),
    ),
    "ice": (
        Rule("JSON", "an object or array", r"\A\ufeff?\s*(?:\{|\[[ \t\r]*(?:\{|\"|\n|\]))"),
        Rule("Slice", "no JSON"),
    ),
    "jq": (
        Rule(
            "JSONiq",
            "FLWOR expressions, version, modules",
            r"^[ \t]*(?:jsoniq[ \t]+version|(?:for|let)[ \t]+\$\w+[ \t]*(?::=|in\b)|declare[ \t]+\w|return\b"
            r"|import[ \t]+module|module[ \t]+namespace|variable[ \t]+\$|xquery[ \t]+version)|\(:",
        ),
        Rule("jq", "no FLWOR"),
    ),
    "ks": (
        Rule(
            "KerboScript",
            "statements that end with a point",
            r"(?i)^[ \t]*(?:lock|set|print|wait|declare|parameter|function|local|global|stage|run|runpath|until"
            r"|@lazyglobal|clearscreen|when|unlock|sas|rcs)\b[^\n]*[.{][ \t]*(?://[^\n]*)?\r?$|^[ \t]*//",
            unless=r"^%(?:packages|post|pre|include|end)\b",
        ),
        Rule("Kickstart", "no statements with a point"),
    ),
    "lean": (
        Rule(
            "Lean",
            "imports in lower case, begin … end",
            r"^import[ \t]+[a-z_.]|^[ \t]*begin[ \t]*\r?$|:=[ \t]*begin\b|^(?:open_locale|meta[ \t]+def|run_cmd"
            r"|constant"
            r"|prelude\r?\nimport[ \t]+init)\b|,[ \t]*\r?\n[ \t]*(?:rw|simp|exact|intro)\b|\bλ[^\n,]{0,80},",
            unless=r"^(?:public[ \t]+)?import[ \t]+[A-Z]|:=[ \t]*by[ \t]*\r?$",
        ),
        Rule("Lean 4", "no sign of Lean 3"),
    ),
    "lisp": _LISP,
    "lsp": _LISP,
    "lp": (
        Rule(
            "Linear Programming",
            "an objective and constraints",
            r"(?i)^[ \t]*(?:max(?:imi[sz]e)?|min(?:imi[sz]e)?|subject[ \t]+to|st|s\.t\.|such that|bounds|generals?"
            r"|binar(?:y|ies))[ \t]*:?[ \t]*\r?$|^[ \t]*(?:max|min)(?:imi[sz]e)?[ \t]*:[^-~]"
            r"|^[ \t]*int[ \t]+\w[^.\n]*;",
            unless=r":-|:~",
        ),
        Rule(
            "Lambdapi",
            "symbol, rule, require open",
            r"^[ \t]*(?:(?:constant|injective|sequential|opaque|private|protected)[ \t]+)*symbol[ \t]+\S"
            r"|^[ \t]*(?:require[ \t]+(?:open|\w+)|open[ \t]+\w|rule[ \t]+\S|inductive[ \t]+\S|notation[ \t]"
            r"|builtin[ \t]+\")"
            r"|≔|↪",
        ),
        Rule("Answer Set Programming", "rules and facts that end with a point", r":-|:~|^#\w|^%|\.[ \t]*\r?$"),
        Rule("Linear Programming", "no rules"),
    ),
    "m4": (
        Rule(
            "M4Sugar",
            "macros of Autoconf and of M4sugar",
            r"\b(?:AC|AM|AS|AX|AH|AT|LT|PKG|m4|gl|AU)_[A-Z_a-z]\w*|^#[ \t]*serial[ \t]+\d",
            unless=r"^divert\(-1\)|^include\(`",
        ),
        Rule("M4", "no macros of Autoconf"),
    ),
    "mask": (
        Rule("Unity3D Asset", "YAML of Unity", r"^%YAML|^%TAG|^--- !u!|^AvatarMask:"),
        Rule("Mask", "no YAML"),
    ),
    "mc": (
        Rule(
            "Win32 Message File",
            "message ids, severities, a point alone",
            r"(?i)^(?:MessageId(?:TypeDef)?|SeverityNames|FacilityNames|LanguageNames|SymbolicName)[ \t]*="
            r"|^;/[*/]|^\.\r?$",
        ),
        Rule("M4", "macros of mail servers", r"^(?:divert|define|include|dnl|undefine|changequote|[A-Z_]{4,}\()\b"),
        Rule("Monkey C", "no messages and no macros"),
    ),
    "mm": (Rule("XML", "a document", _XML), Rule("Objective-C++", "no document")),
    "mo": (
        Rule(
            "Motoko",
            "actors, imports of text, let and var with semicolons",
            r"^[ \t]*(?:(?:persistent|shared)[ \t][^\n]{0,200})?actor\b|^[ \t]*import[ \t]+(?:\{|\w+[ \t]+\")"
            r"|^[ \t]*(?:public[ \t]+)?(?:func|let|var)[ \t]+\w|^[ \t]*module[ \t]*(?:\w+[ \t]*)?\{|\bDebug\.print\b",
        ),
        Rule("Modelica", "no actors"),
    ),
    "mojo": (Rule("XML", "a document", _XML), Rule("Mojo", "no document")),
    "moo": (
        Rule(
            "Mercury",
            "declarations with :-",
            r"^[ \t]*:-[ \t]*(?:module|interface|implementation|pred|func|import_module|type|mode)\b",
        ),
        Rule("Moocode", "no declarations"),
    ),
    "mps": (
        Rule(
            "Mathematical Programming System",
            "sections from column one",
            r"^(?:NAME|ROWS|COLUMNS|RHS|BOUNDS|RANGES|OBJSENSE|ENDATA)(?:[ \t]|\r?$)",
            unless=_XML,
        ),
        Rule("JetBrains MPS", "no sections"),
    ),
    "mqh": (
        Rule(
            "MQL4",
            "functions of MQL4 alone",
            r"\bOrderSend[ \t]*\((?:[^&,\n]{0,60},){4}|\bOrderSelect[ \t]*\([^,)\n]{1,60},"
            r"|\b(?:OrderClose|OrderModify|OrderTicket|OrderLots|MarketInfo|AccountBalance|WindowFind|IndicatorCounted)\b"
            r"|^[ \t]*extern[ \t]+\w+[ \t]+\w+[ \t]*=|\bMQL4\b|mql4\.com|^int[ \t]+start[ \t]*\(",
            unless=r"\bMQL5\b|mql5\.com|\bMqlTradeRequest\b",
        ),
        Rule("MQL5", "no function of MQL4"),
    ),
    "msg": (
        Rule(
            "OMNeT++ MSG",
            "messages and packets in braces",
            r"^[ \t]*(?:(?:packet|message|class|struct|enum)[ \t]+[\w:]+[^\n;=]*(?:\{|\r?$)"
            r"|cplusplus[ \t]*(?:\(\w+\)[ \t]*)?"
            r"\{\{|import[ \t]+[\w.]+;|namespace[ \t]+[\w:.]+;|//)",
        ),
        Rule("ROS Interface", "no messages in braces"),
    ),
}

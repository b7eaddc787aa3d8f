"""Extensions that some tool's XML shares with a language, such as Qt's translations and TypeScript.

An XML document begins with its declaration, a DOCTYPE, a comment or an element; no such language's file does.
"""

from starloom.languages.ambiguous.rule import Rule

XML = r"\A\ufeff?\s*<(?:\?xml|!DOCTYPE|!--|[A-Za-z][\w:.-]*[\s/>])"
GERBER = (
    r"^%(?:FS[LTD]?A?|MO(?:IN|MM)|AD[DM]|LP[DC]|IP|IN|LN|AM|TF|TA|SR)[^\n]*\*%?"
    r"|^G0[0-9][^\n]*\*[ \t]*\r?$|^(?:G54)?D\d+\*|^X-?\d+Y-?\d+D0[123]\*|^M0[02]\*"
)

RULES = {
    "ts": (
        Rule("XML", "Qt's translations: a declaration, a DOCTYPE or <TS>", r"\A\ufeff?\s*<(?:\?xml|!DOCTYPE|!--|TS\b)"),
        Rule("TypeScript", "no element at the beginning"),
    ),
    "tsx": (
        Rule(
            "XML", "a tile set: a declaration, a DOCTYPE or <tileset>", r"\A\ufeff?\s*<(?:\?xml|!DOCTYPE|!--|tileset\b)"
        ),
        Rule("TSX", "no tile set"),
    ),
    "rs": (
        Rule("XML", "begins with an element", r"\A\ufeff?\s*<(?:\?xml|!DOCTYPE|!--|[a-z]\w*(?:\s|/?>))"),
        Rule(
            "RenderScript",
            "#pragma version(1), #pragma rs",
            r"#pragma[ \t]+(?:version[ \t]*\([ \t]*1|rs[ \t]|rs_fp_\w+)",
            unless=r"^[ \t]*(?:pub\b|use[ \t]+[\w:]+|fn[ \t]|mod[ \t]+\w|#!?\[|impl\b|extern[ \t]+crate|let[ \t])",
        ),
        Rule(
            "RenderScript",
            "C with the types of RenderScript",
            r"\brs_(?:allocation|script|sampler|element|type|mesh|font|program_\w+|quaternion"
            r"|matrix\dx\d)\b|\brsGetElementAt\w*|__attribute__[ \t]*\(\(kernel\)\)"
            r"|^#include[ \t]*[\"<][^\n]*\.rsh?\b",
            unless=r"^[ \t]*(?:pub\b|use[ \t]+[\w:]+|fn[ \t]|mod[ \t]+\w|#!?\[|impl\b|extern[ \t]+crate|let[ \t])",
        ),
        Rule("Rust", "neither XML nor C"),
    ),
    "res": (Rule("XML", "begins with an element", XML), Rule("ReScript", "no element at the beginning")),
    "sw": (Rule("XML", "begins with an element", XML), Rule("Sway", "no element at the beginning")),
    "typ": (
        Rule("XML", "begins with an element", r"\A\ufeff?\s*<(?:\?xml|!DOCTYPE|!--|[A-Za-z][\w:.-]*[ \t]+[\w:]+=)"),
        Rule("Typst", "no element at the beginning"),
    ),
    "workflow": (Rule("XML", "begins with an element", XML), Rule("HCL", "no element at the beginning")),
    "pluginspec": (Rule("XML", "begins with an element", XML), Rule("Ruby", "no element at the beginning")),
    "plist": (
        Rule(
            "XML Property List",
            "a declaration, a DOCTYPE or <plist>",
            r"\A\ufeff?\s*<(?:\?xml|!DOCTYPE|!--|plist|dict)",
        ),
        Rule("OpenStep Property List", "no element at the beginning"),
    ),
    "sch": (
        Rule("Eagle", "<eagle> or its DOCTYPE", r"<!DOCTYPE[ \t]+eagle\b|<eagle\b"),
        Rule("XML", "begins with an element", XML),
        Rule(
            "KiCad Schematic",
            "EESchema Schematic or (kicad_sch",
            r"\A\ufeff?\s*(?:EESchema[ \t]+Schematic|\(kicad_sch\b)|^\$(?:Comp|EndComp|Descr" r"|EndSCHEMATC)\b",
        ),
        Rule("Scheme", "no element, no schematic"),
    ),
    "ncl": (
        Rule("XML", "begins with an element", XML),
        Rule("Gerber Image", "commands that end with an asterisk", GERBER),
        Rule(
            "NCL",
            "load, begin, addfile, attributes with @, comments with ;",
            r"^[ \t]*(?:load[ \t]+\"|begin[ \t]*(?:;[^\n]*)?\r?$|(?:procedure|function)[ \t]+\w+[ \t]*\("
            r"|undef[ \t]*\(|external[ \t]+\w+[ \t]+\"|end[ \t]+(?:if|do)\b|do[ \t]+\w+[ \t]*=)|^[ \t]*;"
            r"|\baddfiles?[ \t]*\(|^[ \t]*\w+@\w+[ \t]*:?=|\bgsn_\w+|^[ \t]*print[ \t]*\("
            r"|\bdimsizes[ \t]*\(",
        ),
        Rule(
            "Nickel",
            "let … in, fun =>, contracts, records",
            r"\blet[ \t]+(?:rec[ \t]+)?[\w{'-]+[^\n]*=|\bfun[ \t]+\w+[^\n]{0,80}=>|\|[ \t]*(?:default|doc"
            r"|optional|not_exported|force|priority|std\.|String|Number|Bool|Dyn|Array|\{)|\bstd\.\w+"
            r"|^[ \t]*\{[ \t]*\r?$|^[ \t]*[\w\"-]+[ \t]*=[^\n]*,[ \t]*\r?$|^[ \t]*#|\bimport[ \t]+\"",
        ),
        Rule("NCL", "assignments of a script", r"^[ \t]*\w+(?:![0-9]|&\w+|\([^)\n]*\))?[ \t]*:?=[ \t]*\S"),
        Rule("Text", "prose", r"\A\ufeff?\s*[^\W\d_][^\n=(){};]*\n"),
        Rule("NCL", "the usual .ncl file"),
    ),
}

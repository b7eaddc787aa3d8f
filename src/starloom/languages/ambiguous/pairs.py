"""Extensions that a common language shares with rarer ones.

These are `.for`, `.fs`, `.gs`, `.html`, `.json`, `.ls`, `.md`, `.ml` and `.mod`.
"""

from starloom.languages.ambiguous.letters import FORTH, FORTRAN
from starloom.languages.ambiguous.rule import Rule

_INFO = r"[{,]\"info\":\{"


def _outermost(key: str, version: int) -> str:
    """A key that comes first in the object, or that is indented as the first one is."""
    return (
        rf"\A\ufeff?\s{{0,200}}\{{(?:\s{{0,200}}|[ \t]{{0,9}}\r?\n([ \t]{{1,16}})\"[^\n]*\n(?:[^\n]*\n)*?\1)"
        rf"\"{key}\"[ \t]{{0,9}}:[ \t]{{0,9}}\"{version}\."
    )


def _after_value(key: str, version: int) -> str:
    """A key after an object or array in JSON without spaces, where depth cannot be seen."""
    return rf"[}}\]],\"{key}\":\"{version}\."


RULES = {
    "for": (
        Rule("Fortran", "units and declarations, comments in column one", FORTRAN),
        Rule("Forth", "words defined with a colon, comments with a backslash", FORTH),
        Rule("Formatted", "columns of numbers", r"\A\ufeff?[ \t]*[-+.\d]+(?:[eEdD][-+]?\d+)?[ \t,]"),
        Rule("Fortran", "the usual .for file"),
    ),
    "fs": (
        Rule(
            "Filterscript",
            "pragmas of RenderScript",
            r"^[ \t]*#[ \t]*pragma[ \t]+(?:version|rs)\b|\b__attribute__\(\(kernel\)\)|^#include[ \t]+\"?\w+\.rsh",
        ),
        Rule(
            "GLSL",
            "#version, precision, uniforms, main without arguments",
            r"^[ \t]*#[ \t]*(?:version[ \t]+\d|extension[ \t]+\w|ifdef[ \t]+GL_ES|include|define)"
            r"|^[ \t]*precision[ \t]+\w+p[ \t]|^[ \t]*(?:layout[ \t]*\([^\n]*\)[ \t]*)?(?:uniform|varying|in|out"
            r"|attribute|flat[ \t]+in)[ \t]+\w+[ \t]+\w|^[ \t]*void[ \t]+main[ \t]*\(|\bgl_Frag\w+",
        ),
        Rule(
            "Forth", "words defined with a colon, comments with a backslash", FORTH, unless=r"^[ \t]*(?:let|open)[ \t]"
        ),
        Rule("F#", "no sign of a shader or of Forth"),
    ),
    "gs": (
        Rule(
            "GLSL",
            "#version, layouts, emitted vertices",
            r"^[ \t]*#[ \t]*(?:version[ \t]+\d|extension[ \t]+\w)|^[ \t]*layout[ \t]*\(|\bEmitVertex\b|\bgl_Position\b",
        ),
        Rule(
            "Gosu",
            "uses, classes with construct, var with a type",
            r"^[ \t]*uses[ \t]+[\w.*]+|^[ \t]*(?:package[ \t]+gw\b|enhancement[ \t]+\w|construct[ \t]*\("
            r"|(?:override|private|public|static|internal)[ \t][^\n]{0,200}\bfunction\b|classpath[ \t]+\")"
            r"|^[ \t]*package[ \t]+[\w.]+[ \t]*\r?$|\bfunction[ \t]+\w+[ \t]*\([^)\n]{0,200}:[ \t]*\w"
            r"|^[ \t]*(?:public[ \t]+)?property[ \t]+(?:get|set)\b|\\[ \t]{0,4}\w{0,40}[ \t]{0,4}->",
            unless=r"^[ \t]*(?:uses|init)[ \t]*\r?$|^[ \t]*\[[ \t]*indent\b",
        ),
        Rule(
            "Genie",
            "[indent], init, def without braces",
            r"^[ \t]*\[[ \t]*indent\b|^[ \t]*init[ \t]*\r?$|^[ \t]*def[ \t]+\w|^[ \t]*uses[ \t]*\r?$"
            r"|^[ \t]*class[ \t]+[\w.]+(?:[ \t]*:[ \t]*[\w.]+)?[ \t]*\r?$",
        ),
        Rule("JavaScript", "a script of Google's applications"),
    ),
    "html": (
        Rule(
            "Ecmarkup",
            "elements of a specification of ECMAScript",
            r"^[ \t]*<emu-[a-z]|^[ \t]*<(?:script|link)\b[^>\n]{0,200}\becmarkup\b"
            r"|^[ \t]*<pre class=\"?metadata\"?>\r?\n[ \t]*(?:title|status|shortname|stage|contributors|copyright):",
        ),
        Rule("HTML", "no elements of Ecmarkup"),
    ),
    "json": (
        Rule("OASv3-json", "the outermost key openapi with version 3", _outermost("openapi", 3)),
        Rule("OASv2-json", "the outermost key swagger with version 2", _outermost("swagger", 2)),
        Rule("OASv3-json", "openapi with version 3 beside info", _after_value("openapi", 3), also=_INFO),
        Rule("OASv2-json", "swagger with version 2 beside info", _after_value("swagger", 2), also=_INFO),
        Rule("JSON", "no description of an interface"),
    ),
    "ls": (
        Rule(
            "LoomScript",
            "package, import and typed functions with braces",
            r"^[ \t]*package(?:[ \t]+[\w.]+)?[ \t]*(?:\{|\r?$)|^[ \t]*import[ \t]+[\w.*]+;"
            r"|^[ \t]*(?:public|private|protected)[ \t]+(?:static[ \t]+)?(?:class|var|function)\b",
        ),
        Rule("LiveScript", "no package"),
    ),
    "md": (
        Rule(
            "GCC Machine Description",
            "definitions in parentheses, comments with semicolons",
            r"^\(define_[a-z]\w*(?:[ \t]+\"|[ \t]*(?:\[|\r?$)|[ \t]+[\w:]+[ \t]*(?:\[|\r?$))"
            r"|^\(include[ \t]+\"|\A\ufeff?\s*;;[^\n]*\n(?:;|\s*\r?$|\()",
        ),
        Rule("Markdown", "prose"),
    ),
    "ml": (
        Rule(
            "OCaml",
            "let rec, let () =, methods, externals",
            r"^[ \t]*(?:let[ \t]+rec[ \t]|let[ \t]+\(\)[ \t]*=|external[ \t]+\w+[ \t]*:|(?:method|inherit)!?[ \t]+[a-z]"
            r"|class[ \t]+(?:virtual[ \t]+)?[a-z][^\n=]{0,200}=[ \t]*(?:object|fun)\b)",
            unless=r"^[ \t]*(?:structure|signature|functor)[ \t]+\w|^[ \t]*fun[ \t]+\w[^\n>]*=",
        ),
        Rule(
            "OCaml",
            "let … in, open, module, match … with",
            r"^[ \t]*(?:let[ \t]+(?:rec|open|module|%|\(\)|[\w'][^\n]*=)|open!?[ \t]+[A-Z]"
            r"|module[ \t]+(?:type[ \t]+)?[A-Z]|include[ \t]+[A-Z])|;;[ \t]*\r?$|\bmatch[ \t][^\n]{0,200}[ \t]with\b|->"
            r"|\b(?:Printf|List)\.\w|^#(?:use|load|require)\b",
            unless=r"^[ \t]*(?:structure|signature|functor|fun)[ \t]+\w|^[ \t]*val[ \t]+\w[^:\n]*=|(?<![=<>|!:~&*-])=>",
        ),
        Rule(
            "Standard ML",
            "fun, val … =, structure, case with =>",
            r"^[ \t]*(?:structure|signature|functor|datatype|infixr?|abstype|exception[ \t]+\w+[ \t]*\r?$)\b[ \t]*\w"
            r"|^[ \t]*(?:fun|val)[ \t][^\n:]*=|(?<![=<>|!:~&*-])=>|^[ \t]*fun[ \t]+\w",
            unless=r"^[ \t]*let[ \t]+(?:rec[ \t]+)?[\w'][^\n]*=|;;[ \t]*\r?$",
        ),
        Rule("OCaml", "the usual .ml file"),
    ),
    "mod": (
        Rule("XML", "a document, DTD or schema module", r"\A\ufeff?\s*<[?!\w]"),
        Rule(
            "Modula-2",
            "MODULE, IMPORT, comments with (*",
            r"^[ \t]*(?:(?:DEFINITION|IMPLEMENTATION|FOREIGN|UNSAFE)[ \t]+)?(?:MODULE|FROM|IMPORT|PROCEDURE)"
            r"[ \t]+[\w\"(]"
            r"|\A\ufeff?\s*\(\*",
        ),
        Rule(
            "NMODL",
            "blocks NEURON, PARAMETER, BREAKPOINT",
            r"^[ \t]*(?:TITLE\b|NEURON[ \t]*(?:\{|\r?$)|UNITS[ \t]*(?:\{|\r?$)|PARAMETER[ \t]*\{|STATE[ \t]*\{"
            r"|BREAKPOINT[ \t]*\{|ASSIGNED[ \t]*\{|INITIAL[ \t]*\{|VERBATIM\b|COMMENT\b|PROCEDURE[ \t]+\w+[ \t]*\()",
        ),
        Rule(
            "AMPL",
            "param, var, set, minimize, subject to",
            r"^[ \t]*(?:param|var|set|minimize|maximize|subject[ \t]+to|s\.t\.|data|model|solve|display|option|end)"
            r"\b[^\n]*[;:{=,]|^[ \t]*(?:solve|end|data)[ \t]*;",
        ),
        Rule("Linux Kernel Module", "object files a module was made of", r"^\S+\.k?o(?:[ \t]|\r?$)|^/?[\w./-]+\.ko\b"),
        Rule("AMPL", "no sign of another", r"^[ \t]*#|/\*"),
    ),
}

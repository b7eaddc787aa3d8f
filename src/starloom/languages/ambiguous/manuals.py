"""Manual pages and other roff, and what shares roff's extensions: `.1` … `.9`, `.man`, `.mdoc`, `.n`, `.ms`, …

A manual page is roff with a title macro of man(7) or mdoc(7), or one that only says `.so` to show another page.
"""

from starloom.languages.ambiguous.rule import Rule

_PAGE = r"^[.'][ \t]*(?:TH|Dd|Dt|Os)\b|^\.[ \t]*(?:SH|Sh)[ \t]+\"?NAME\b|\A\ufeff?\s*\.so[ \t]+\S*man"
_ROFF = r"^[.'](?:[ \t]*\\[\"#]|[ \t]*[A-Za-z]{1,3}(?:[ \t]|\r?$)|[ \t]*(?:de|ds|if|ie|nr|so|am)1?\b)|^'''"
_MACROS = r"^[.'][ \t]*(?:S[Hh]|PP|P|TP|IP|LP|br|B[IR]?|I[BR]?|Pp|Nm|Sh|Bl|It)\b"
_SECTIONS = (*"123456789", *["1in", "1m", "1x", "3in", "3m", "3p", "3pm", "3qt", "3x"])

_GAS = (
    r"^[ \t]*\.(?:globl|global|text|data|bss|section|align|p2align|type|size|file|ident|cfi_\w+|ascii|asciz|string"
    r"|long|byte|word|quad|comm|macro|intel_syntax|include|equ|set)\b"
    r"|%[er]?(?:[abcd]x|[sd]i|[sb]p)\b"
)

RULES = {
    **{
        section: (
            Rule("Roff Manpage", "a manual page's title", _PAGE),
            Rule(
                "Roff Manpage",
                "sections of a manual page",
                r"^\.[ \t]*(?:SH|Sh)[ \t]+\S",
                also=_MACROS,
                unless=r"^\.(?:TL|AU|NH|AB)\b",
            ),
            Rule("Roff", "no title of a manual page"),
        )
        for section in _SECTIONS
    },
    **{
        name: (
            Rule("Roff Manpage", "a manual page's title", _PAGE),
            Rule(
                "Roff",
                "macros, but no manual page's",
                r"^\.(?:TL|AU|NH|AB|de|ds|nr)\b",
                unless=r"^\.(?:SH|Sh|TP|Nm|Pp)\b",
            ),
            Rule("Roff Manpage", "what the extension says"),
        )
        for name in ("man", "mdoc")
    },
    "n": (
        Rule("Roff", "requests and macros at the start of lines", _ROFF),
        Rule("Nemerle", "no roff"),
    ),
    "nr": (
        Rule(
            "Noir",
            "fn, use, mod, struct",
            r"^[ \t]*(?:pub(?:\([a-z]+\))?[ \t]+)?(?:unconstrained[ \t]+|comptime[ \t]+)*(?:fn|use|mod|struct"
            r"|global|impl|trait|contract)[ \t<]+[\w:]|^[ \t]*#\[",
        ),
        Rule("Roff", "requests and macros at the start of lines", _ROFF),
        Rule("Noir", "no roff"),
    ),
    "ms": (
        Rule("Unix Assembly", "directives of as, registers with %", _GAS),
        Rule("Roff", "requests and macros at the start of lines", _ROFF),
        Rule(
            "MAXScript",
            "rollout, struct (, fn … =, on … do, comments with --",
            r"(?i)^[ \t]*(?:rollout|macroscript|utility|plugin|rcmenu|tool)[ \t]+\w+|^[ \t]*(?:mapped[ \t]+)?(?:fn"
            r"|function)[ \t]+\w+[^\n=(]*=|^[ \t]*struct[ \t]+\w+[ \t]*(?:\(|\r?$)"
            r"|^[ \t]*on[ \t]+\w+[ \t][^\n]*\bdo\b"
            r"|\bmessagebox\b|#\(|\$\w*\*|\b(?:animationrange|createdialog|filein|getopenfilename|maxops|sysinfo"
            r"|thecol|themax|undefined)\b|^[ \t]*--|^[ \t]*\([ \t]*(?:--[^\n]*)?\r?$|^[ \t]*(?:global"
            r"|local)[ \t]+\w|\bselection\b|\bof[ \t]+objects\b"
            r"|^[ \t]*(?:try|for[ \t][^\n]*\bdo)[ \t]*\(|\b(?:box|sphere|teapot|cylinder)[ \t]+\w+:",
            unless=r"^[ \t]*end[ \t]+(?:if|while|for|function)\b|^[ \t]*//",
        ),
        Rule(
            "MiniScript",
            "end if, end function, print, comments with //",
            r"^[ \t]*end[ \t]+(?:if|while|for|function)\b|=[ \t]*function\b|^[ \t]*print\b|^[ \t]*(?:if"
            r"|else[ \t]+if)[ \t][^\n]*\bthen\b|^[ \t]*//|^[ \t]*import[ \t]+\"|^[ \t]*(?:for"
            r"|while)[ \t][^\n(]*\r?$|\.(?:push|pop|indexes|hasIndex)\b",
        ),
        Rule("MAXScript", "no other sign"),
    ),
    "rno": (
        Rule(
            "RUNOFF",
            "commands of DSR: margins, a semicolon before the text, several on a line",
            r"(?i)^\.(?:!|;|\*|(?:lm|rm|ap|nap|page[ \t]+size|left[ \t]+margin|right[ \t]+margin|paragraph|center"
            r"|centre|skip|blank|figure|title|subtitle|hl|hd|list|le|els|ls|nhy|no[ \t]+\w+"
            r"|first[ \t]+title|chapter|appendix|spacing|test[ \t]+page|send[ \t]+toc|autopara\w*|flags?"
            r"|end[ \t]+\w+|display|footnote|note|index|require|req|style|layout|lo|x|y)\b|[a-z]{1,3}[-+]?\d*;"
            r"|[a-z]{1,3}[ \t]*\d+\.[a-z])",
        ),
        Rule(
            "Roff",
            "requests and macros at the start of lines",
            r"^[.'](?:[ \t]*\\[\"#]|(?:TH|SH|PP|TP|IP|LP|TL|AU|de|ds|so|nr|br|sp|in|ti|ft)\b)|\\f[BIRP]|\\\*",
        ),
        Rule("RUNOFF", "the usual .rno file"),
    ),
}

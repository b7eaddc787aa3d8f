"""`.inc`: what a dozen languages call a file to be included.

Only PHP and HTML open with a mark of their own; the rest is told by declarations that the others lack. Bare tables of
numbers and X-macros are C's or C++'s.
"""

from starloom.languages.ambiguous.assembly import MOTOROLA, MOTOROLA_DATA
from starloom.languages.ambiguous.rule import Rule

_SOURCE_PAWN = (
    r"\bSourceMod\b|\bSharedPlugin\b|^[ \t]*methodmap[ \t]+\w|^[ \t]*(?:typeset|funcenum|functag)[ \t]+\w"
    r"|^[ \t]*typedef[ \t]+\w+[ \t]*=[ \t]*function\b"
    r"|^[ \t]*enum[ \t]+struct\b|\b(?:new|native|stock|forward|public|decl|const)[ \t]+Handle:\w"
    r"|[(,][ \t]*Handle:\w+[,)=]|\bAction:\w+[ \t]*\(|\bMarkNativeAsOptional\b|\bREQUIRE_PLUGIN\b"
    r"|#pragma[ \t]+newdecls\b"
    r"|^[ \t]*(?:native|forward|stock|public)[ \t]+(?:static[ \t]+)?(?:void|int|bool|float|any|char|Handle|Action"
    r"|[A-Z]\w+)(?:\[\])?[ \t]+\w+[ \t]*\("
    r"|^[ \t]*#include[ \t]*<(?:sourcemod|sdktools|sdkhooks|cstrike|tf2\w*)>|\bnew[ \t]+String:|\bdecl[ \t]+String:"
)
_PAWN = (
    r"^[ \t]*(?:native|forward|stock|public)[ \t]+(?:(?:const"
    r"|static)[ \t]+)?(?:[\w{},]+:)?[@\w]+(?:\[[^\]\n]*\])*[ \t]*\("
    r"|^[ \t]*#(?:endinput|tryinclude|emit)\b|^[ \t]*#pragma[ \t]+(?:library|tabsize|reqlib|dynamic|unused)\b"
    r"|^[ \t]*#include[ \t]*<(?:a_\w+|amx\w+|fakemeta|hamsandwich|core|float|open\.mp|YSI\w*)[^>\n]*>"
    r"|\bnew[ \t]+(?:const[ \t]+)?(?:Float|bool|Text|PlayerText|DB|File):\w"
    r"|^[ \t]*#if[ \t]+defined[ \t]+_\w+_included"
    r"|^[ \t]*new[ \t]+(?:const[ \t]+)?\w+(?:\[[^\]\n]*\])*[ \t]*[=;,]"
)
_NASL = (
    r"\b(?:local_var|global_var|_FCT_ANON_ARGS)\b"
    r"|\b(?:get_kb_item|set_kb_item|get_kb_list|replace_kb_item|open_sock_tcp|open_priv_sock_\w+|raw_string"
    r"|log_message|http_send_recv"
    r"|http_keepalive_send_recv|security_(?:message|hole|warning|note|report\w*)|script_(?:oid|id|name|cve_id"
    r"|version|family)"
    r"|get_preference|script_get_preference|egrep|eregmatch|isnull|insstr|mkbyte|mkword|mkdword)[ \t]*\("
    r'|^[ \t]*include[ \t]*\([ \t]*"[\w./-]+\.(?:inc|nasl)"[ \t]*\)'
)
BITBAKE = (
    # one class for the whole name, then back by one sign at most: `A:append`, `A_${PN}`, but not the colon of `:=`
    r"^(?:export[ \t]+)?[A-Z](?:[A-Z0-9_][\w${}.+:-]*(?<![:.+]))?(?:\[\w+\])?[ \t]*(?:\?\?=|\?=|:=|\+=|=\+|\.=|=\."
    r"|=)[ \t]*[\"']"
    r"|^inherit[ \t]+[\w${}-]|^(?:fakeroot[ \t]+|python[ \t]+)?(?:do|pkg)_\w+(?:[:_][\w${}-]+)*[ \t]*\(\)[ \t]*\{"
    r"|^(?:require|include)[ \t]+(?!<)[\w${}./-]+\.inc[ \t]*\r?$|^addtask[ \t]+\w"
)
_POV_RAY = (
    r"^[ \t]*#(?:declare|local|macro|default|debug|version)[ \t]+[\w{\"]"
    r"|^[ \t]*(?:texture|pigment|finish|normal|interior|camera|light_source|union|difference|intersection|object"
    r"|sphere|box"
    r"|cylinder|mesh2?|color_map|colour_map|sky_sphere|global_settings|background|plane|cone|torus|prism"
    r"|lathe)[ \t]*\{"
    r"|^[ \t]*#(?:ifdef|ifndef|while|if)[ \t]*\("
)
_PASCAL = (
    r"\{\$[A-Za-z]|\(\*\$[A-Za-z]"
    r"|(?i:^[ \t]*(?:class[ \t]+)?(?:procedure|function|constructor|destructor)[ \t]+\w+(?:\.\w+)?[ \t]*(?:;"
    r"|:[ \t]*\w|\([^)\n]*(?:\)[ \t]*[;:]|$|\r$|;)))"
    r"|(?i:^[ \t]*(?:unit|program|library)[ \t]+[\w.]+[ \t]*;|^[ \t]*(?:begin|implementation|interface"
    r"|initialization|finalization)[ \t]*(?:\{[^\n]*)?\r?$)"
    r"|(?i:^[ \t]*(?:var|const|type|uses|resourcestring|label)[ \t]*\r?$)|(?i:^[ \t]*uses[ \t]+[\w.]+[ \t]*[,;])"
    r"|^[ \t]*\w+[ \t]*:=[^=\n]"
    r"|(?i:^[ \t]*(?:(?:const|var)[ \t]+)?\w+[ \t]*(?::[ \t]*\w+[ \t]*)?=[ \t]*(?:\$[0-9a-f]+|'[^'\n]*');"
    r"|^[ \t]*\w+[ \t]*:[ \t]*\w+[ \t]*=[ \t]*-?\d+;)"
    r"|^[ \t]*\w+[ \t]*=[ \t]*(?:class|record|packed[ \t]+record)\b"
)
_PASCAL_COMMENT = (
    r"\A\ufeff?\s*(?:\(\*|\{[-*=\s]*[A-Za-z][\w.,'/()-]*[ \t]+[A-Za-z0-9(<*][\w.,'/()<-]*[ \t]+[\w(<$*:%{]"
    r"|\{[ \t]*(?:[%$]|[A-Za-z][^\n{};,]*\}))"
)
_SQL = (
    r"(?i)^[ \t]*(?:create[ \t]+(?:or[ \t]+replace[ \t]+)?(?:temporary[ \t]+|global[ \t]+|unique[ \t]+)?(?:table"
    r"|view|index|procedure|function|trigger|database"
    r"|schema|sequence|type|user|package|event)\b|insert[ \t]+(?:ignore[ \t]+)?into\b|drop[ \t]+(?:table|view"
    r"|index|database|procedure|function)\b"
    r"|alter[ \t]+(?:table|session|database)\b|select[ \t]+[^\n;]*|delete[ \t]+from\b|grant[ \t]+\w+"
    r"|update[ \t]+\w+[ \t]+set\b|set[ \t]+(?:@@?|global|session)\w*)"
    # mysqltest's includes
    r"|^[ \t]*--[ \t]*(?:source|(?:dis|en)able_\w+|echo|error|connect|let|eval|replace_\w+|query_vertical|perl"
    r"|exec)\b"
    r"|^[ \t]*let[ \t]+\$\w+[ \t]*=|^[ \t]*(?:source[ \t]+[\w/$.-]+\.inc|connection[ \t]+\w+"
    r"|disconnect[ \t]+\w+)[ \t]*;"
)
_ASSEMBLY = (
    r"(?i)^[ \t]*;|^\w+[ \t]*:?=[ \t]*\$[0-9a-f]+[ \t]*(?:;|\r?$)|^[ \t]*%(?:define|macro|include|if\w*|assign"
    r"|endif|imacro|xdefine)\b"
    r"|^[ \t]*\.(?:macro|endm|equ|byte|word|include|db|dw|def|set|segment|text|globl|global|define|ifdef|if|import"
    r"|export|org|enum|struct|device|align|section|bank)\b"
    r"|^[.\w@$]*:?[ \t]+(?:equ|db|dw|dd|dq|resb|resw|resd|rb|rw|struc|macro|proc|mov|lda|ldi|jmp|call|ret|push|pop"
    r"|move|lea|fcb|fdb|rmb)(?:[ \t]|\r?$)"
    r"|^[ \t]*(?:struc|struct|macro|proc|endp|ends|import|include|include[ \t]+'[^']+')[ \t]+\w+[^;\n(]*\r?$"
)
_C = (
    r"^[ \t]*#[ \t]*(?:ifdef|ifndef|if|include|define|undef|pragma|else|endif|error)\b|^[ \t]*(?://|/\*)"
    r"|^[ \t]*(?:\{[ \t]*)?(?:0x[0-9A-Fa-f]+|-?\d[\d.]*[fFuUlL]*)[ \t]*,"
    r"|^[ \t]*\w+[ \t]*\([^)\n]*\)[ \t]*[;{,]?[ \t]*\r?$|\w::\w"
    r"|^[ \t]*(?:static|const|inline|template|class|namespace|void|int|extern|struct|enum|typedef)\b"
    r"|^[ \t]*\{[^\n]*\}[ \t]*,|^\"[^\n]*\"\r?$"
)

RULES = {
    "inc": (
        Rule("PHP", "a <?php or <?= opens", r"<\?(?:php\b|=)|\A\ufeff?\s*<\?(?!xml)(?:[ \t\r\n])|^<\?[ \t]*\r?$"),
        Rule(
            "HTML",
            "the first thing is a tag or <!--",
            r"\A\ufeff?\s*<(?:!|/?[A-Za-z][\w-]*[\s>/])",
            unless=r"^[ \t]*(?:procedure|begin)\b",
        ),
        Rule("Pascal", "opens with a comment in { } or (* *)", _PASCAL_COMMENT),
        Rule(
            "SourcePawn",
            "typed natives, methodmap, SourceMod's own tags",
            _SOURCE_PAWN,
            unless=r"(?i)\bAMX(?:X|[ \t]?Mod)|\ba_samp\b",
        ),
        Rule(
            "Pawn",
            "native, forward, stock, tags with a colon, #endinput",
            _PAWN,
            unless=r"\btemplate[ \t]*<|^[ \t]*(?:public|private)[ \t]*:",
        ),
        Rule(
            "POV-Ray SDL",
            "#declare, #local, #macro, or a scene's objects",
            _POV_RAY,
            unless=r"^[ \t]*#[ \t]*(?:define|undef|pragma)\b",
        ),
        Rule("Motorola 68K Assembly", "the 68000's sized mnemonics", MOTOROLA),
        Rule(
            "Assembly",
            "comments with a semicolon at the start of lines",
            r"^[ \t]*;+[ \t-]*[^\n;]",
            unless=r"(?i)(?:dcb?|ds|rs)\.[bwl][ \t]|^[ \t]+(?:xdef|xref)[ \t]|^[ \t]*(?:begin|end;)[ \t]*\r?$"
            r"|^[ \t]*#[ \t]*(?:include|define|declare)\b|\{\$[A-Za-z]",
        ),
        Rule("NASL", 'local_var, get_kb_item, include("x.inc") and other functions of NASL', _NASL),
        Rule(
            "BitBake",
            'VARIABLE = "…", inherit, do_task() {',
            BITBAKE,
            unless=r"^[ \t]*(?:#[ \t]*(?:include|define)|;|%)",
        ),
        Rule(
            "SQL",
            "statements of SQL, or mysqltest's commands",
            _SQL,
            unless=r"\{\$[A-Za-z]|^[ \t]*#[ \t]*(?:include|define|ifdef)\b|(?i:^[ \t]*unit[ \t]+\w+;)",
        ),
        Rule(
            "Pascal",
            "{$directives}, procedure, begin, :=",
            _PASCAL,
            unless=r"^[ \t]*#[ \t]*(?:include|define|ifdef|ifndef)\b|^[ \t]*%",
        ),
        Rule(
            "Motorola 68K Assembly",
            "dc.l, rs.w, xdef and the like",
            MOTOROLA_DATA,
            unless=r"(?i)\b(?:mov|push|ld[axy]|st[axy]|ldi)[ \t]",
        ),
        Rule(
            "Assembly",
            "comments with a semicolon, equ, db, macros, mnemonics",
            _ASSEMBLY,
            unless=r"^[ \t]*(?:static|const|template|class|namespace|typedef)\b|\w::\w",
        ),
        Rule("C++", "a preprocessor line, C's comments, a table of values", _C),
        Rule("SQL", "comments with --", r"^--"),
    ),
}

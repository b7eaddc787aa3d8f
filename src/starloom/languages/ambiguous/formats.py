"""Extensions that a tool's format shares with another's.

These are `.asy`, `.brd`, `.bst`, `.cfg`, `.csl`, `.cue`, `.ddl` and `.dsc`.
"""

from starloom.languages.ambiguous.rule import Rule

RULES = {
    "asy": (
        Rule(
            "LTspice Symbol",
            "Version and SymbolType",
            r"\A\ufeff?\s*Version[ \t]+\d|^SymbolType[ \t]+\w+|^SYMATTR[ \t]",
        ),
        Rule("Asymptote", "no symbol"),
    ),
    "brd": (
        Rule(
            "KiCad Legacy Layout",
            "PCBNEW-BOARD or sections with $",
            r"\A\ufeff?\s*PCBNEW-BOARD|^\$(?:GENERAL|SHEETDESCR|SETUP|EQUIPOT|MODULE|EndBOARD)\b",
        ),
        Rule("Eagle", "the usual .brd file"),
    ),
    "bst": (
        Rule(
            "BibTeX Style",
            "ENTRY, FUNCTION { }, comments with %",
            r"^[ \t]*(?i:ENTRY|INTEGERS|STRINGS|FUNCTION|MACRO|EXECUTE|ITERATE|REVERSE|READ|SORT)[ \t]*(?:\{|\r?$"
            r"|%)|\A\ufeff?\s*%",
        ),
        Rule(
            "BuildStream",
            "YAML with kind:",
            r"^(?:kind|sources|depends|build-depends|runtime-depends|variables|config|public|environment|\(@\)"
            r"|\(\?\))[ \t]*:",
        ),
        Rule("BuildStream", "comments with #", r"\A\ufeff?\s*#"),
        Rule("BibTeX Style", "the usual .bst file"),
    ),
    "cfg": (
        Rule(
            "HAProxy",
            "sections global, defaults, frontend, backend, listen",
            r"^[ \t]*(?:(?:frontend|backend|listen|peers|resolvers|userlist|cache|program|ring|mailers"
            r"|http-errors)[ \t]+[\w.:-]+|global|defaults)\b[^=:{\n]*(?::\d+|#[^\n]*)?\r?$",
            also=r"^[ \t]*(?:bind|server|mode|balance|timeout|log|option|maxconn|default_backend|acl|use_backend"
            r"|stats|daemon|user|chroot|nbproc|nbthread|http-request|tcp-request|peer|nameserver|clitimeout"
            r"|contimeout|default-server|errorfile)[ \t]|^[ \t]+daemon\b",
            unless=r"^\[[^\]\n]+\][ \t]*\r?$",
        ),
        Rule("INI", "no section of HAProxy"),
    ),
    "csl": (
        Rule("XML", "a tag first", r"\A\ufeff?\s*<[?!A-Za-z]"),
        Rule("Kusto", "no tag"),
    ),
    "cue": (
        Rule(
            "Cue Sheet",
            "FILE, TRACK, INDEX",
            r"^[ \t]*(?:FILE[ \t]+[^\n]+[ \t](?:WAVE|BINARY|MP3|AIFF|MOTOROLA|FLAC)\b|TRACK[ \t]+\d+[ \t]+\w+"
            r"|INDEX[ \t]+\d+[ \t]+\d+:\d+:\d+|(?:PERFORMER|TITLE|SONGWRITER)[ \t]+\"|REM[ \t]+\w+|CATALOG[ \t]+\d)",
        ),
        Rule("CUE", "no track"),
    ),
    "ddl": (
        Rule(
            "PLSQL",
            "Oracle's types, packages, storage clauses",
            r"(?i)\bvarchar2\b|\bnumber[ \t]*\([ \t]*[\d*]"
            r"|\bcreate[ \t]+(?:or[ \t]+replace[ \t]+)(?:(?:non)?editionable[ \t]+)?(?:force[ \t]+)?(?:package"
            r"|procedure|function|trigger|type|synonym|public[ \t]+synonym|library)\b|^/[ \t]*\r?$|%(?:row)?type\b"
            r"|\bpct(?:free|used)\b"
            r"|\b(?:n?clob|bfile|sysdate|dbms_\w+|utl_\w+)\b|\bstorage[ \t]*\(|^[ \t]*(?:prompt|spool"
            r"|whenever[ \t]+sqlerror)\b|\bis[ \t]+table[ \t]+of\b",
            unless=r"(?i)\$\$|\bengine[ \t]*=|\bautoincrement\b|\bserial\b",
        ),
        Rule("SQL", "nothing of Oracle's"),
    ),
    "dsc": (
        Rule(
            "Debian Package Control File",
            "fields of a source package",
            r"^-----BEGIN PGP SIGNED|^(?:Format|Source|Binary|Maintainer|Standards-Version|Checksums-\w+"
            r"|Package-List|Architecture):(?:[ \t]|\r?$)",
        ),
        Rule("DenizenScript", "no field of a package"),
    ),
}

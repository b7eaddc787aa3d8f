"""Notations for data and settings that share an extension.

`.yaml`, `.yml`, `.yy`, `.properties`, `.odin`, `.pbt`, `.star`, `.vcf`, `.srt`, `.toc`, `.txt`, `.nb`, `.sol`, and the
files named hosts, .releaserc, .eslintrc. OpenRA's MiniYAML indents with tabs, which YAML forbids; an OpenAPI
description names its version at its outermost level.
"""

from starloom.languages.ambiguous.rule import Rule
from starloom.languages.ambiguous.xml_twins import GERBER

_BRACE = r"\A\ufeff?(?>(?:\s|//[^\n]*+\n|/\*[^*]*+\*/)*)[{\[]"

_YAML = (
    Rule("OASv2-yaml", "swagger: 2 at the outermost level", r"^(?:\{[ \t]*)?['\"]?swagger['\"]?[ \t]*:[ \t]*['\"]?2"),
    Rule("OASv3-yaml", "openapi: 3 at the outermost level", r"^(?:\{[ \t]*)?['\"]?openapi['\"]?[ \t]*:[ \t]*['\"]?3"),
    Rule(
        "MiniYAML",
        "a key, and its children behind a tab",
        r"^[\w^@.$/~|-][\w^@.$/~| -]*:(?:[^\n]*[^\n|>+\r-])?[ \t]*\r?\n(?:[ \t]*#[^\n]*\n"
        r"|[ \t]*\r?\n){0,5}\t[-\w^@.$/~+]+(?:@[\w.-]+)?:",
        unless=r"^---|^ +(?:- )?[\w\"'-]+:[ \t]|^- |^[ \t]*\{[%{]",
    ),
    Rule("YAML", "no outermost swagger or openapi, no tabs"),
)

_HOSTS = (
    Rule("INI", "groups in brackets", r"^[ \t]*\[[\w:.-]+\][ \t]*(?:[#;][^\n]*)?\r?$"),
    Rule("Hosts File", "addresses and names"),
)

RULES = {
    "yaml": _YAML,
    "yml": _YAML,
    "yy": (
        Rule("JSON", "begins with a brace or bracket", r"\A\ufeff?\s*[{\[]"),
        Rule("Yacc", "no brace at the beginning"),
    ),
    "properties": (
        Rule("INI", "sections in brackets", r"^[ \t]*\[[^\]\n=]+\][ \t]*\r?$"),
        Rule("INI", "comments with ;", r"^;", unless=r"^[ \t]*[#!]"),
        Rule("Java Properties", "keys and values, comments with # or !"),
    ),
    "odin": (
        Rule(
            "Object Data Instance Notation",
            "attributes with angle brackets",
            r"^[ \t]*[\w\[\]\"-]+[ \t]*=[ \t]*(?:\(\w[^)\n]*\)[ \t]*)?<",
            unless=r"^[ \t]*package[ \t]+\w+",
        ),
        Rule(
            "Odin",
            "package, import, declarations with ::",
            r"^[ \t]*(?:package[ \t]+\w+|import[ \t]+(?:\w+[ \t]+)?\"|foreign[ \t]|#\+|@\()|::|:=",
        ),
        Rule(
            "Object Data Instance Notation",
            "attributes with angle brackets, comments with --",
            r"^[ \t]*[\w\[\]\"-]+[ \t]*=[ \t]*(?:<|\(\w[^)\n]*\)[ \t]*<|\[|\{|\"|\d)|^[ \t]*--"
            r"|\A\ufeff?\s*[<(\[{]",
        ),
        Rule("Odin", "the usual .odin file"),
    ),
    "pbt": (
        Rule(
            "PowerBuilder",
            "a target of PowerBuilder",
            r"^Save Format v\d|^[ \t]*@begin\b|^(?:appname|applib|liblist|type)[ \t]+\"",
        ),
        Rule("Protocol Buffer Text Format", "fields and messages"),
    ),
    "star": (
        Rule(
            "STAR",
            "data_ blocks, loop_, names that begin with an underscore",
            r"^[ \t]*(?:data_\w*|loop_|save_\w*|global_)[ \t]*(?:#[^\n]*)?\r?$|^[ \t]*_[\w.]+(?:[ \t]+\S"
            r"|[ \t]*\r?$)",
        ),
        Rule("Starlark", "no data block"),
    ),
    "vcf": (
        Rule("vCard", "BEGIN:VCARD", r"(?i)^[ \t]*BEGIN[ \t]*:[ \t]*VCARD"),
        Rule("TSV", "variants: ##fileformat=VCF, columns with tabs", r"^##\w+=|^#CHROM\b|^[^\n\t]+\t[^\n\t]*\t"),
        Rule("vCard", "the usual .vcf file"),
    ),
    "srt": (
        Rule("SubRip Text", "times with an arrow", r"\d:\d\d:\d\d[,.]\d{1,3}[ \t]*-->"),
        Rule(
            "SRecode Template",
            "template, context, set, comments with ;;",
            r"^[ \t]*(?:template|context|set|show|sectiondictionary|prompt|section|bind|end)[ \t]*\S|^;;"
            r"|^----[ \t]*\r?$",
        ),
        Rule("SubRip Text", "the usual .srt file"),
    ),
    "toc": (
        Rule(
            "TeX",
            "\\contentsline and other macros",
            r"^[ \t]*\\(?:contentsline|babel@toc|select@language|beamer@\w+|defcounter|boolfalse|booltrue"
            r"|global|gdef|providecommand|relax|\w+@\w+|etoc\w*|\w+[ \t]*\{)",
        ),
        Rule("World of Warcraft Addon Data", "## tags and a list of files"),
    ),
    "txt": (
        Rule(
            "Adblock Filter List",
            "[Adblock Plus] or a list's header",
            r"\A\ufeff?\s*\[(?:(?:Adblock|AdGuard|uBlock|uBO|ABP)[^\]\n]*)\]"
            r"|\A\ufeff?\s*(?:![^\n]*\n){0,20}![ \t]*(?:Title|Homepage|Expires|Checksum|Last modified"
            r"|Licen[cs]e|Version|Redirect)[ \t]*:",
        ),
        Rule(
            "Adblock Filter List",
            "filters: ||host^, @@exceptions, ##selectors",
            r"^(?:@@)?\|\|[\w.*-]+[\w./*-]*\^",
            also=r"^!|^(?:@@)?\|\|[^\n]*\n(?:@@)?\|\||##[\w.#\[]",
        ),
        Rule(
            "Vim Help File",
            "its tag in asterisks on the first line, or its modeline",
            r"\A\ufeff?\*[^\s*]+\*(?:[ \t]|\r?$)|^[ \t]*vim:[^\n]*\b(?:ft|filetype)=help\b",
        ),
        Rule("Text", "the usual .txt file"),
    ),
    "nb": (
        Rule(
            "Wolfram Language",
            "Notebook[{, (* *), functions with square brackets",
            r"\A\ufeff?\s*\(\*|\bNotebook[ \t]*\[|\bCell(?:GroupData)?[ \t]*\[|\b[A-Z]\w*\[[^\n]",
        ),
        Rule("Text", "no expression"),
    ),
    "sol": (
        Rule(
            "Gerber Image",
            "commands that end with an asterisk",
            GERBER,
            unless=r"^[ \t]*(?:pragma|contract|library|interface|import)\b",
        ),
        Rule("Solidity", "the usual .sol file"),
    ),
    "HOSTS": _HOSTS,
    "hosts": _HOSTS,
    ".releaserc": (Rule("JSON", "begins with a brace or bracket", _BRACE), Rule("YAML", "no brace at the beginning")),
    ".eslintrc": (
        Rule("JSON with Comments", "begins with a brace or //", _BRACE + r"|\A\ufeff?\s*/[/*]"),
        Rule("YAML", "no brace at the beginning"),
    ),
}

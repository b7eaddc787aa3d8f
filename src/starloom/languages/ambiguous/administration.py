"""What administrators and packagers write: `.pp`, `.pc`, `.spec`, `.sls`, `.vhost`, `.rsc`, `.trigger`."""

from starloom.languages.ambiguous.rule import Rule

RULES = {
    "pp": (
        Rule(
            "Pascal",
            "program, unit, uses, begin … end, {$directives}",
            r"(?i)\A\ufeff?(?>(?:\s|\{[^}]*+\}|//[^\n]*+|\(\*[^*]*+\*+\))*)(?:program|unit|library"
            r"|package)[ \t\r\n]+[\w.]+[ \t\r\n]*[;(]|^[ \t]*uses[ \t\r\n]+\w|\{\$\w|^[ \t]*(?:begin"
            r"|implementation|interface)[ \t]*\r?$|\bend\.[ \t]*(?:\{[^\n]*|//[^\n]*)?\r?$"
            r"|^[ \t]*(?:procedure|function)[ \t]+[\w.]+[^\n{]*;",
        ),
        Rule(
            "Puppet",
            "resources, classes, arrows",
            r"^[ \t]*(?:class|define|node|plan|type|function)[ \t]+[\w:'\"/$.-]+[^\n;]*[{(|]?[ \t]*\r?$"
            r"|=>|^[ \t]*(?:include|contain|require|import|realize|notice|notify|fail|if|case"
            r"|unless)\b[ \t]*[\w:'\"(${]|^[ \t]*\$\w+[ \t]*=|^[ \t]*@{0,2}[a-z][\w:]*[ \t]*\{[^\n}]*:",
        ),
        Rule("Pascal", "comments with { }, // or (*; assignments with :=", r"\A\ufeff?\s*(?:\{|//|\(\*)|:="),
        Rule("Puppet", "the usual .pp file"),
    ),
    "pc": (
        Rule(
            "pkg-config",
            "Name:, Libs:, prefix=",
            r"^(?:Name|Description|Version|URL|Libs|Cflags|CFlags|Requires|Conflicts"
            r"|Provides)(?:\.private|\.internal)?[ \t]*:|^(?:prefix|exec_prefix|libdir|includedir"
            r"|pcfiledir)[ \t]*=",
        ),
        Rule(
            "Pro*C",
            "EXEC SQL in C",
            r"(?i)\bexec[ \t]+(?:sql|oracle)\b|^[ \t]*#[ \t]*(?:include|define|ifn?def)\b|;[ \t]*\r?$|/\*",
        ),
        Rule("pkg-config", "the usual .pc file"),
    ),
    "spec": (
        Rule(
            "RPM Spec",
            "preamble tags, %sections and macros",
            r"(?i)^(?:name|summary(?:\([^)\n]*\))?|version|release|license|epoch"
            r"|(?:build)?requires(?:\([^)\n]*\))?|build(?:root|arch|conflicts)|(?:source|patch)\d*"
            r"|provides|obsoletes|packager)[ \t]*:|^%(?:package|description|prep|build|install|check"
            r"|clean|files|changelog|define|global|macro|pre|post|preun|postun|pretrans|posttrans"
            r"|trigger\w*|if\w*|include|setup|autosetup|undefine|bcond\w*|load|generate_buildrequires)\b"
            r"|%\{[?!]*\w+",
        ),
        Rule(
            "Ruby",
            "describe, it, do … end",
            r"^[ \t]*(?:(?:RSpec\.)?describe|context|it|specify|before|let!?|subject"
            r"|shared_examples\w*)\b[^\n=]*(?:\bdo\b|\{)|^[ \t]*require(?:_relative)?[ \t(]+(?:['\"]"
            r"|File)|\bdo[ \t]*(?:\|[^|\n]*\|)?[ \t]*\r?$|^[ \t]*end[ \t]*\r?$|^[ \t]*(?:Gem::"
            r"|Pod::)?Spec\w*\.new\b|^[ \t]*module[ \t]+[A-Z]",
        ),
        Rule(
            "Python",
            "PyInstaller's Analysis, EXE; imports and assignments",
            r"\b(?:Analysis|PYZ|EXE|COLLECT|BUNDLE|MERGE|Tree|TOC)[ \t]*\(|-\*-[^\n]*python|^(?:import"
            r"|from)[ \t]+\w|^[ \t]*(?:def|class)[ \t]+\w+[^\n]*:[ \t]*\r?$|^\w+[ \t]*=[ \t]*[\[({'\"\w]",
        ),
        Rule("RPM Spec", "the usual .spec file"),
    ),
    "sls": (
        Rule(
            "Scheme",
            "begins with a list or a comment with ;",
            r"\A\ufeff?(?>(?:\s|#![^\n]*+|;[^\n]*+|#\|[^|]*+\|#)*)\(|\A\ufeff?\s*(?:;|#!(?:r6rs|chezscheme"
            r"|/[^\n]*scheme))",
        ),
        Rule("Salt", "keys and lists of YAML, Jinja"),
    ),
    "vhost": (
        Rule(
            "ApacheConf",
            "<VirtualHost>, directives without semicolons",
            r"^[ \t]*</?(?:VirtualHost|Directory|Location|IfModule|Files|Proxy|Macro|Limit|If|Else)\w*\b"
            r"|^[ \t]*(?i:ServerName|ServerAlias|DocumentRoot|RewriteEngine|RewriteRule|ErrorLog"
            r"|CustomLog|ServerAdmin|Include|ProxyPass\w*|Listen)[ \t]+[^\n;{]*\r?$",
        ),
        Rule(
            "Nginx",
            "server { }, directives that end with a semicolon",
            r"^[ \t]*(?:server|location|upstream|http|map|events)\b[^\n;]*\{"
            r"|^[ \t]*\w+[ \t]+[^\n]*;[ \t]*(?:#[^\n]*)?\r?$",
        ),
        Rule("ApacheConf", "the usual .vhost file"),
    ),
    "rsc": (
        Rule(
            "Rascal",
            "modules, imports, data types and syntax definitions",
            r"^[ \t]*(?:module[ \t]+[\w:\\]+|(?:import|extend)[ \t]+[\w:\\]+[ \t]*;|(?:public|private"
            r"|default)[ \t]+[\w\[\]&]+[ \t]+\w+|data[ \t]+\w+|alias[ \t]+\w+[^\n]*="
            r"|(?:start[ \t]+)?(?:syntax|lexical|layout|keyword)[ \t]+\w+|anno[ \t]+\w+|test[ \t]+bool"
            r"|@\w+\{)|^[ \t]*(?:void|int|str|bool|list\[|set\[|rel\[|map\[|tuple\[|loc|value|node|Tree"
            r"|real|num)[^\n;=]*\([^\n]*\)[ \t]*(?:\{|=)",
            unless=r"^[ \t]*:(?:local|global|put|if|foreach|log|do|set|delay)\b|^/(?:ip|interface|system|tool"
            r"|user|queue|routing|certificate|file|ppp|port|snmp|log|import|export)\b",
        ),
        Rule(
            "RouterOS Script",
            "menus with /, commands with :, comments with #",
            r"^[ \t]*[:/]\w+|^[ \t]*(?:add|set|remove|print|enable|disable)[ \t]+[\[\w]|^[ \t]*#|\$\w",
        ),
        Rule("Rascal", "statements with semicolons", r"^[ \t]*//|;[ \t]*\r?$"),
        Rule("RouterOS Script", "the usual .rsc file"),
    ),
    "trigger": (
        Rule(
            "Apex",
            "trigger … on … (before insert)",
            r"(?i)^[ \t]*trigger[ \t]+\w+[ \t\r\n]+on[ \t]+\w+|\bTrigger\.(?:new|old|is[A-Z])\w*"
            r"|\b(?:before|after)[ \t]+(?:insert|update|delete|undelete)\b",
        ),
        Rule(
            "Shell",
            "commands, comments with #",
            r"\A\ufeff?\s*#|^[ \t]*(?:set|echo|if[ \t]+\[|case|export|\.|exit|exec)[ \t]",
        ),
        Rule("Apex", "comments and statements of Java's kind", r"\A\ufeff?\s*(?://|/\*)|;[ \t]*\r?$"),
        Rule("Shell", "the usual .trigger file"),
    ),
}

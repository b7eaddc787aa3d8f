"""Extensions shared by languages that speak in words rather than braces, and scripts of a web server.

These are `.al`, `.b`, `.bf`, `.bs`, `.e`, `.ecl`, `.es`, `.ex`; `.cgi`, `.fcgi`.
"""

from starloom.languages.ambiguous.rule import Rule

_PERL = (
    r"^[ \t]*(?:use[ \t]+(?:strict|warnings|CGI|lib|FCGI|vars|\w+::|v?5)|my[ \t]*[($@%]|our[ \t]*[($@%]"
    r"|local[ \t]*[($@%]|sub[ \t]+\w+|package[ \t]+[\w:]+[ \t]*;|require[ \t]+['\"]?[\w:./]+)"
    r"|^[ \t]*[$@%]\w+[ \t]*=|=~|\bqw[ \t]*\(|^[ \t]*print[ \t]+(?:<<|[\"'q$])[^\n]*|\bfor(?:each)?[ \t]+my\b"
    r"|^=(?:head\d|pod|cut)\b"
)
_PYTHON = (
    r"^[ \t]*(?:import[ \t]+[\w.]+(?:[ \t]*,[ \t]*\w+)*[ \t]*(?:#[^\n]*)?\r?$|from[ \t]+[\w.]+[ \t]+import\b"
    r"|def[ \t]+\w+[ \t]*\([^\n]*:|class[ \t]+\w+[^\n]*:|if[ \t]+__name__|(?:if|for|while|try|with"
    r"|else)\b[^\n{]*:[ \t]*\r?$|print[ \t]*\(?[\"'])"
)
_SHELL = (
    r"^[ \t]*(?:echo\b|cat[ \t]*<<|(?:if|while)[ \t]+\[|fi\b|esac\b|done\b|\.[ \t]+/|export[ \t]+\w+=|exec[ \t]+\S"
    r"|[A-Za-z_]\w*=[^=\s]|case[ \t][^\n]*[ \t]in\b|printf[ \t]+['\"])"
)
_RUBY = (
    r"^[ \t]*(?:require(?:_relative)?[ \t]*\(?['\"]|def[ \t]+\w+[^:\n]*\r?$|end\b"
    r"|class[ \t]+[A-Z]\w*(?:[ \t]*<[^\n]*)?\r?$|module[ \t]+[A-Z]|puts\b|(?:Rack|Dispatcher|RailsFCGIHandler"
    r"|ENV\[)\b)|\bdo[ \t]*\|"
)
_EUPHORIA = (
    r"^[ \t]*(?:(?:global|public|export|override)[ \t]+)?(?:procedure|function|type)[ \t]+\w+[ \t]*\("
    r"|^[ \t]*end[ \t]+(?:procedure|function|type|while|for|if|switch|loop)\b"
    r"|^[ \t]*(?:public[ \t]+)?include[ \t]+[\w./\\-]+(?:\.e\w*)?(?:[ \t]+as[ \t]+\w+)?[ \t]*\r?$"
    r"|^[ \t]*(?:(?:global|public|export)[ \t]+)?(?:sequence|atom|integer|object)[ \t]+\w+|^[ \t]*(?:puts|printf"
    r"|position|print)[ \t]*\([ \t]*\d[ \t]*,|^[ \t]*\?[ \t]*[\w{\"]|^[ \t]*with(?:out)?[ \t]+(?:trace|type_check"
    r"|warning|profile)\b|^[ \t]*(?:(?:public|export|global)[ \t]+)?constant\b|^#!/\S*\beui?\b"
)
_HYPHY = (
    r"\b(?:LoadFunctionLibrary|ExecuteAFile|ExecuteCommands|RequireVersion|ReadDataFile|CreateFilter|DataSetFilter"
    r"|LikelihoodFunction|ChoiceList|VERBOSITY_LEVEL"
    r"|SetDialogPrompt|HarvestFrequencies|GetString|GetInformation|PROMPT_FOR_FILE|UseModel|ReplicateConstraint)\b"
    r"|\bf(?:printf|scanf)[ \t]*\([ \t]*(?:stdout|stdin|\w+|\"[^\"\n]*\")[ \t]*,"
    r"|^[ \t]*(?:lfunction|ffunction)[ \t]+[\w.]+[ \t]*\(|^[ \t]*namespace[ \t]+[a-z][\w.]*[ \t]*\{|\b(?:io"
    r"|utility|terms|alignments|trees|parameters|estimators|frequencies)\.\w+[ \t]*[(:,]"
)
_BRAINFUCK = r"[+<>]{4,}|\[[-+<>.,]+\]|\+{3,}|(?<![-+<>\[\].,])(?=[-\[\].,]{0,20}[<>+])[-+<>\[\].,]{10,}"

RULES = {
    "al": (
        Rule(
            "AL",
            "an object with a number or a quoted name",
            r"(?i)^[ \t]*(?:table|page|codeunit|report|query|xmlport|enum|permissionset|interface|profile"
            r"|controladdin|dotnet|entitlement|pagecustomization|(?:table|page|report|enum|permissionset"
            r"|profile)extension)[ \t]+(?:\d+[ \t]*|\"[^\"\n]*\"|\w+[ \t]*(?:\{|implements\b|extends\b"
            r"|customizes\b|\r?$))|^[ \t]*namespace[ \t]+[\w.]+[ \t]*;",
            unless=r"^[ \t]*(?:sub[ \t]+\w+[ \t]*\{|my[ \t]*[$@%(])",
        ),
        Rule("Perl", "sub, my, package, POD", _PERL + r"|^#[ \t]*NOTE:[ \t]*Derived|^1;"),
        Rule(
            "AL",
            "procedures and triggers",
            r"(?i)^[ \t]*(?:(?:local|internal)[ \t]+)?(?:procedure|trigger|var|begin|field)\b|^[ \t]*//",
        ),
        Rule("Perl", "comments with #", r"^[ \t]*#(?!pragma|if|region)"),
        Rule("AL", "the usual .al file"),
    ),
    "b": (
        Rule(
            "Limbo",
            'implement, include "x.m", typed declarations',
            r"^[ \t]*implement[ \t]+\w|^[ \t]*include[ \t]*\"[\w./]+\.m\""
            r"|^[ \t]*\w+(?:[ \t]*,[ \t]*\w+)*[ \t]*:[ \t]*(?:con|fn|adt|module|import|ref|array[ \t]+of"
            r"|list[ \t]+of|chan[ \t]+of)\b|:=[ \t]*load\b",
        ),
        Rule(
            "B",
            "extrn, auto, functions without types",
            r"^[ \t]*(?:extrn|auto)[ \t]+\w|^[ \t]*\w+[ \t]*\([\w, \t]*\)[ \t]*\r?\n?[ \t]*(?:\{|extrn|auto|return"
            r"|\w+\()|\b(?:putchar|putstr|getchar|printf?)[ \t]*\(",
        ),
        Rule("Brainfuck", "runs of its eight signs", _BRAINFUCK),
        Rule("B", "statements with a semicolon", r";[ \t]*\r?$|/\*"),
        Rule("Brainfuck", "no statement"),
    ),
    "bf": (
        Rule("HyPhy", "HyPhy's own functions", _HYPHY, unless=r"^[ \t]*using[ \t]+[\w.]+;"),
        Rule(
            "Beef",
            "using, namespace, class",
            r"^[ \t]*(?:using[ \t]+(?:static[ \t]+|internal[ \t]+)?[\w.]+[ \t]*;|namespace[ \t]+[\w.]+"
            r"|(?:(?:public|private|static|internal|sealed|abstract|extension)[ \t]+)*(?:class|struct|interface"
            r"|enum|extension)[ \t]+[A-Z]\w*|\[[A-Z]\w+[^\]\n]*\][ \t]*\r?$)",
        ),
        Rule(
            "HyPhy",
            "functions, statements with semicolons, HyPhy's own names",
            r"^[ \t]*(?:l?function|ffunction|namespace)[ \t]+[\w.]+[ \t]*(?:\(|\{)|^[ \t]*#include[ \t]+\""
            r"|\b(?:fprintf|fscanf|ExecuteAFile|LoadFunctionLibrary|ReadDataFile|CreateFilter|LikelihoodFunction"
            r"|RequireVersion|ChoiceList|Model|DataSet\w*|Tree|Optimize|Export|VERBOSITY_LEVEL|io\.\w+"
            r"|return)\b[ \t]*[(=;\w\"]|^[ \t]*\w[\w.]*(?:\[[^\]\n]*\])*[ \t]*:?=[^=\n][^\n]*;[ \t]*\r?$"
            r"|^[ \t]*(?:if|for|while)[ \t]*\(|/\*|^[ \t]*//",
            unless=r"^[-+<>\[\]., \t]{12,}\r?$",
        ),
        Rule(
            "Brainfuck",
            "lines of nothing but its eight signs",
            r"^[ \t]*[-+<>\[\].,][-+<>\[\]., \t]{5,}\r?$",
            unless=r"^[^a-zA-Z\n]*@[^a-zA-Z]*\r?$",
        ),
        Rule(
            "Befunge",
            "the end @, arrows and turns, strings",
            r"@",
            also=r"[>v<^_|:,\"]",
            unless=r"\[[-+<>.,]{2,40}\]",
        ),
        Rule("Brainfuck", "runs of its eight signs", _BRAINFUCK),
        Rule(
            "Befunge",
            "arrows and turns at the ends of lines, strings",
            r"^[^\n]*[<>v^|_#][ \t]*\r?\n[^\n]*[<>v^|_#\"]",
            also=r"[v^_|\"]",
            unless=r"\[[-+<>.,]{2,40}\]",
        ),
        Rule("Befunge", "stack operations and turns", r"[v^|_:\\#$\"]", unless=r"\b[A-Za-z]{5,20}[ \t]+[A-Za-z]{4}"),
        Rule("Brainfuck", "no other sign"),
    ),
    "bs": (
        Rule(
            "Bikeshed",
            "metadata and headings in HTML",
            r"^[ \t]*<pre[ \t]+class=['\"]?(?:metadata|biblio|anchors|link-defaults)|\A\ufeff?\s*<(?:!|h1|pre|html"
            r"|style|section|div|dl|p)\b|^<h[1-6]\b",
        ),
        Rule(
            "Bluespec BH",
            "package … where, signatures with ::",
            r"^[ \t]*package[ \t]+\w+[^\n;]*(?:where|=>|\()|^[ \t]*package[ \t]+\w+[ \t]*\r?$"
            r"|^[ \t]*\w+[ \t]*::[ \t]|^[ \t]*(?:data|struct|interface)[ \t]+(?:\([^)\n]*\)[ \t]*)?\w+[^=\n]*="
            r"|^[ \t]*--(?!>)|^\{-|\bderiving[ \t]*\(|^[ \t]*\w+[ \t]*<-[ \t]",
        ),
        Rule(
            "BrighterScript",
            "sub, function, class with end",
            r"(?i)^[ \t]*(?:sub|function|end[ \t]*(?:sub|function|class|if|namespace)|class|namespace"
            r"|import[ \t]+\"|library[ \t]+\"|interface|enum)\b|^[ \t]*'|^[ \t]*@\w+\(",
        ),
        Rule("BrighterScript", "no other sign"),
    ),
    "cgi": (
        Rule("Python", "imports, blocks after a colon", _PYTHON, unless=r"^[ \t]*(?:use[ \t]+strict|my[ \t]*[($@%])"),
        Rule("Perl", "sigils, use, my, sub", _PERL),
        Rule("Shell", "echo, tests in brackets, assignments", _SHELL),
        Rule("Perl", "the usual .cgi file"),
    ),
    "fcgi": (
        Rule("PHP", "<?php", r"<\?(?:php|=)"),
        Rule(
            "Lua",
            "local, require, end",
            r"^[ \t]*local[ \t]+(?:function[ \t]+)?\w+|^[ \t]*--|\bthen[ \t]*\r?$"
            r"|^[ \t]*require[ \t]*\(?[\"'](?:wsapi|orbit|lapis|cgilua)",
        ),
        Rule("Python", "imports, blocks after a colon", _PYTHON, unless=r"^[ \t]*(?:use[ \t]+strict|my[ \t]*[($@%])"),
        Rule(
            "Perl", "sigils, use, my, sub", _PERL, unless=r"^[ \t]*require[ \t]*\(?['\"]rubygems|^[ \t]*end[ \t]*\r?$"
        ),
        Rule("Ruby", "require, def … end, blocks", _RUBY),
        Rule("Shell", "echo, exec, assignments", _SHELL),
        Rule("Perl", "no other sign"),
    ),
    "e": (
        Rule(
            "Eiffel",
            "class, feature, do … end, note",
            r"(?i)^[ \t]*(?:(?:deferred|expanded|frozen|external"
            r"|separate)[ \t]+)*class[ \t]*(?:[A-Z]\w*[ \t]*(?:\[|--|inherit|\r?$)|\r?$)|^[ \t]*(?:note"
            r"|indexing)[ \t]*\r?$|^[ \t]*feature[ \t]*(?:\{|--|\r?$)|^[ \t]*(?:inherit|creation|create|ensure"
            r"|require|invariant)[ \t]*\r?$",
            unless=r"^[ \t]*end[ \t]+(?:procedure|function|if)\b",
        ),
        Rule("Euphoria", "procedure, end function, include, sequence", _EUPHORIA),
        Rule(
            "E",
            "def with :=, methods with to, comments with #",
            r"^[ \t]*(?:def[ \t]+\S+[^\n]*(?::=|\{)|var[ \t]+\w+[^\n]*:=|to[ \t]+\w+[ \t]*\(|#|pragma\.|interp\."
            r"|when[ \t]*\(|println[ \t]*\(|print[ \t]*\(|for[ \t]+\w+[^\n]*\bin\b[^\n]*\{"
            r"|interface[ \t]+\w+[^\n]*\{)|<-[ \t]*\w+[ \t]*\(|\? [ \t]*\w",
        ),
        Rule("Eiffel", "comments with --", r"^[ \t]*--"),
        Rule("Eiffel", "the usual .e file"),
    ),
    "ecl": (
        Rule(
            "ECLiPSe",
            "clauses with :-, comments with %",
            r"^[ \t]*(?::-|\?-)|^[a-z]\w*(?:\([^\n]*\))?[ \t]*(?::-|\?-|-->)|^%"
            r"|^[a-z]\w*\([^\n;]*\)\.[ \t]*(?:%[^\n]*)?\r?$",
            unless=r"^[ \t]*(?:IMPORT|EXPORT)\b",
        ),
        Rule("ECL", "definitions with :=, OUTPUT, RECORD"),
    ),
    "es": (
        Rule(
            "Erlang",
            "clauses with an arrow, attributes",
            r"\A\ufeff?#![^\n]*escript|^-(?:module|export|mode|include\w*|define|compile|import|author|spec)\b|^%"
            r"|^[a-z]\w*[ \t]*\([^\n]*\)[ \t]*(?:when[ \t][^\n]*)?->[ \t]*\r?$",
            unless=r"^[ \t]*(?:import|export|const|let)[ \t]",
        ),
        Rule("JavaScript", "no clauses"),
    ),
    "ex": (
        Rule(
            "Elixir",
            "defmodule, do … end, |>",
            r"^[ \t]*(?:defmodule|defp?|defmacrop?|defimpl|defprotocol|alias|use|import|require)[ \t]+[A-Za-z_:]"
            r"|\|>|^[ \t]*(?:@\w+[ \t]|IO\.)|\bdo[ \t]*\r?$",
            unless=r"^[ \t]*end[ \t]+(?:procedure|function|while|for|if)\b|^[ \t]*include[ \t]+\w+",
        ),
        Rule("Euphoria", "procedure, end function, include, sequence", _EUPHORIA + r"|^[ \t]*--"),
        Rule("Elixir", "no sign of Euphoria"),
    ),
}

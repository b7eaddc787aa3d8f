"""`.pl`, `.pm`, `.pod`: Perl, Raku (Perl 6), Prolog, pixmaps of X, and both documentation formats.

Raku is told by what Perl's grammar refuses: conditions without parentheses, pointed blocks, twigils, typed variables.
"""

from starloom.languages.ambiguous import prolog
from starloom.languages.ambiguous.rule import Rule

# What Raku's grammar refuses or has dropped, so that it settles the question.
ONLY_PERL = (
    r"^[ \t]*use[ \t]+(?:strict|warnings|v?5[.\d_]*|utf8|vars|base|parent|feature|diagnostics"
    r"|Moose|Moo|Mojo\w*|Test::More|POSIX|Data::Dumper|Getopt::Long|Carp|Exporter|File::\w+"
    r"|ExtUtils::\w+)\b"
    r"|^[ \t]*package[ \t]+[\w:]+[ \t]*(?:;|\{|v?[\d.]+)|=~|\$_\[|\bshift(?:[ \t]*;|[ \t]*\|\|"
    r"|[ \t]*->|[ \t]*\()|\$(?:self|class|this)->|\$\w+->[\w{\[(]|\blocal[ \t]+[$@%]"
    r"|\bour[ \t]+[@$%]\w+[ \t]*=|@_\b|@\{|\$#\w|^__(?:END|DATA)__|\bforeach\b|\belsif[ \t]*\("
)
SURELY_RAKU = (
    r"^[ \t]*use[ \t]+v6|\A\ufeff?#![^\n]*\b(?:perl6|raku|rakudo)\b|^[ \t]*unit[ \t]+(?:module"
    r"|class|role|grammar|package)\b|\bhas[ \t]+(?:[A-Z][\w:]*[ \t]+)?[$@%&][.!]\w"
    r"|^[ \t]*(?:multi|proto)[ \t]+(?:sub|method|token|rule)[ \t]+\w"
    r"|^[ \t]*method[ \t]+[\w'!-][^\n;]*\{|^[ \t]*(?:my[ \t]+)?grammar[ \t]+[\w:][^\n;]*\{"
)
NOT_RAKU = (
    r"^[ \t]*use[ \t]+(?:strict|warnings|v?5|Moose|Moo|Mojo\w*|Function|Kavorka|Method|Dancer\w*"
    r"|Object)\b|^[ \t]*package[ \t]+[\w:]+[ \t]*;|\$self->|@_\b|\A#![^\n]*perl\b(?!6)"
)
RAKU = (
    r"^[ \t]*use[ \t]+v6|\A\ufeff?#![^\n]*\b(?:perl6|raku|rakudo)\b|^[ \t]*(?:(?:unit|my|our"
    r"|augment)[ \t]+)?(?:module|class|role|grammar)[ \t]+[\w:-]+(?:<[^>\n]{0,80}>){0,4}"
    r"(?:[ \t]+(?:is|does)[ \t]+[\w:]+){0,9}[ \t]*[{;]"
    r"|^[ \t]*(?:unit|augment)[ \t]|^[ \t]*(?:multi|proto|only)[ \t]+(?:sub|method|token|rule"
    r"|regex|submethod|\w+[ \t]*\()|^[ \t]*(?:method|submethod|token|rule"
    r"|regex)[ \t]+[\w'!-]+[ \t]*(?:\(|\{|:)"
    r"|\b(?:my|our|has|constant)[ \t]+[A-Z][\w:]*(?:\[[^\]\n]{0,80}\])?[ \t]+[$@%&]"
    r"|\bhas[ \t]+(?:[A-Z][\w:]*[ \t]+)?[$@%&][.!]\w|[$@%&][!*?~][A-Za-z]|\$\.\w+[^\w\s;]"
    r"|(?<!-)->[ \t]+(?:[A-Z]\w*[ \t]+)?[$@%&\\]\w[^\n{]{0,200}\{"
    r"|^[ \t]*(?:\}[ \t]*)?(?:if|elsif|unless|while|until|given|when|with"
    r"|repeat[ \t]+while)[ \t]+[^\s(;{=,][^\n;]*\{[ \t]*\r?$|^[ \t]*(?:for"
    r"|loop)[ \t][^\n;]{0,200}->[^\n;]{0,200}\{|^[ \t]*for[ \t]+[@$%\d][^\n;(]*\{"
    r"|\b(?:sub|method)[ \t]+[\w'-]+[ \t]*\([^)\n]{0,300}\)[ \t]*(?:is[ \t]+export|returns[ \t]|-->"
    r"|of[ \t])|\(\s*-->\s|\bis[ \t]+(?:rw|copy|export)\b|^=begin[ \t]+(?:pod|comment)\b"
    r"|\b(?:lives|dies)-ok\b|\bis-deeply\b|\bthrows-like\b|\buse-ok\b|\bsubtest[ \t]+\{"
    r"|[$@%]\w+(?:\[[^\]\n]{0,40}\])?\.(?:perl|WHAT|raku|elems|say|defined|gist|lc|uc|chars|join"
    r"|map|grep|split|words|lines|slurp)\b(?:[ \t]*[;()])"
    r"|^[ \t]*constant[ \t]+[\w$@%-]+[ \t]*=|\b(?:React|Supply|Promise|Proc::Async"
    r"|IO::Path)\b\.\w|\bstart[ \t]*\{|<=>[^\n]{0,40}»|[»«]|\bgather[ \t]*\{|\bsub[ \t]+MAIN\b"
    r"|^[ \t]*(?:my[ \t]+)?[$@%]\w+[ \t]*:=[ \t]"
)
_SAY = (
    r"^[ \t]*say[ \t(]|^[ \t]*use[ \t]+(?:Test|NativeCall)[ \t]*;" r"|^[ \t]*plan(?:[ \t]+(?:\*|\d+))?[ \t]*;|^#[|=`]"
)
PERL = (
    r"^[ \t]*(?:use|no)[ \t]+[A-Za-z][\w:]*|^[ \t]*require[ \t]+['\"\w]|\b(?:my|our"
    r"|local)[ \t]*[($@%]|^[ \t]*sub[ \t]+\w+[^.{]{0,200}\{|^[ \t]*package[ \t]+\w|[$@]\w+[ \t]*="
    r"|^[ \t]*[$@%][\w{(]|=~|\bprintf?[ \t]*\(?[ \t]*(?:STDERR|STDOUT|[\"'$<])|^=(?:head\d|pod"
    r"|cut|over|item)\b|\A\ufeff?#!|\bforeach[ \t]"
    r"|^[ \t]*(?:exit|die|warn|BEGIN|END)\b|^1;|^__END__"
)

RULES = {
    "pl": (
        Rule("Raku", "use v6, unit module, has $.attribute, multi sub", SURELY_RAKU, unless=NOT_RAKU),
        Rule(
            "Prolog",
            "directives and clauses with :-",
            prolog.CLAUSES,
            unless=r"^[ \t]*use[ \t]+(?:strict|warnings|v?5|[A-Z]\w+)|^[ \t]*(?:my|our|local)[ \t]*[($@%]"
            r"|^[ \t]*package[ \t]+[\w:]+[ \t]*;|^[ \t]*sub[ \t]+\w+[ \t]*\{|\A#![^\n]*perl",
        ),
        Rule("Perl", "strict, packages, arrows, =~", ONLY_PERL),
        Rule(
            "Raku",
            "blocks and signatures that Perl's grammar refuses",
            RAKU,
            unless=r"^[ \t]*(?:%|/\*)|\A#![^\n]*perl\b(?!6)",
        ),
        Rule("Prolog", "facts that end with a full stop", prolog.FACTS, unless=PERL),
        Rule("Prolog", "comments with %, /* */", prolog.COMMENTS, unless=r";[ \t]*\r?$|\b(?:my|our)[ \t]+[$@%]"),
        Rule(
            "Raku",
            "say without a Perl that allows it",
            _SAY,
            unless=r"^[ \t]*use[ \t]+(?!Test[ \t]*;|NativeCall)|\A#![^\n]*perl|\bprint[ \t]|^[ \t]*BEGIN[ \t]*\{"
            r"|\b(?:my|our)[ \t]*\(|\bsub[ \t]+say\b",
        ),
        Rule("Perl", "the usual .pl file"),
    ),
    "pm": (
        Rule(
            "X PixMap",
            "/* XPM */",
            r"\A\ufeff?\s*/\*[ \t]*XPM[ \t]*\*/"
            r"|^[ \t]*static[ \t]+(?:const[ \t]+)?char[ \t]*\*[ \t]*(?:const[ \t]+)?\w+[ \t]*\[[ \t]*\]"
            r"|\A! XPM2",
        ),
        Rule("Raku", "use v6, unit module, has $.attribute, multi sub", SURELY_RAKU, unless=NOT_RAKU),
        Rule("Perl", "strict, packages, arrows, =~", ONLY_PERL),
        Rule(
            "Raku", "classes, roles and signatures that Perl's grammar refuses", RAKU, unless=r"\A#![^\n]*perl\b(?!6)"
        ),
        Rule("Perl", "the usual .pm file"),
    ),
    "pod": (
        Rule(
            "Pod",
            "=pod, =cut, =over: directives that Pod 6 dropped",
            r"^=(?:pod|cut|over|back|encoding)\b",
            unless=r"^=begin[ \t]+pod\b|^=TITLE\b",
        ),
        Rule(
            "Pod 6",
            "=begin pod, =TITLE, typed blocks",
            r"^[ \t]*=(?:begin[ \t]+(?:pod|code|table|item\d?|para|comment|defn|input|output|nested"
            r"|head\d|SYNOPSIS)|TITLE|SUBTITLE|NAME|AUTHOR|VERSION|defn|table|item\d|config"
            r"|for[ \t]+(?:code|head\d|item\d?|para|table|comment|defn|pod)|code|para|comment|alias|input"
            r"|output)\b",
        ),
        Rule("Pod", "the usual .pod file"),
    ),
}

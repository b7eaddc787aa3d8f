"""Extensions of one letter shared by unrelated languages: `.f`, `.g`, `.j`, `.k`, `.l`, `.m`, `.r`, `.t`, `.v`.

The languages of one letter have little in common, so most rules ask for the keywords a file opens with.
"""

from starloom.languages.ambiguous.perl import NOT_RAKU, ONLY_PERL, RAKU, SURELY_RAKU
from starloom.languages.ambiguous.rule import Rule

FORTH = (
    r"^[ \t]*:[ \t]+\S+(?:[ \t]|\r?$)|^\\[ \t]|^\([ \t]|^[ \t]*(?:variable|VARIABLE|create|CREATE|\d+[ \t]+constant"
    r"|require|include|needs|also|only|vocabulary|marker|decimal|hex)[ \t]+\S|^[ \t]*\.\"[ \t]"
)
FORTRAN = (
    r"(?i)^[cC*!](?:[ \t]|\r?$|[*=-])|^[ \t]*!|^(?:[ \t]{6}|\t)[ \t]*(?:program|subroutine|integer|real|function"
    r"|implicit|double|character|logical|call|end|module|block|common|parameter|write|print|dimension|data)\b"
    r"|^[ \t]*(?:end[ \t]*)?(?:program|subroutine|module)[ \t]+\w|^[ \t]*implicit[ \t]+none\b"
)

_TURING_OR_TERRA = r"^[ \t]*(?:terra[ \t]|local[ \t]+\w+[ \t]*=|put[ \t]|setscreen\b|end[ \t]+(?:loop|if|for)\b)"

RULES = {
    "f": (
        Rule(
            "Filebench WML",
            "define fileset, define process, flowop",
            r"^[ \t]*define[ \t]+(?:file|fileset|process|flowop|randvar|posset)\b|^[ \t]*flowop[ \t]+\w"
            r"|^set[ \t]+\$\w+[ \t]*=",
        ),
        Rule(
            "Fortran",
            "units and declarations from column seven",
            r"(?i)^(?:[ \t]{6}|\t)[ \t]*(?:program|subroutine|integer|real|function|implicit|double[ \t]precision"
            r"|character|logical|call|end)\b|^[ \t]*(?:end[ \t]*)?(?:program|subroutine|module)[ \t]+\w"
            r"|^[cC*](?:[ \t]|\r?$|[*=-])",
        ),
        Rule("Forth", "words defined with a colon, comments with a backslash", FORTH),
        Rule("Fortran", "the usual .f file"),
    ),
    "g": (
        Rule(
            "G-code",
            "lines of letter-number words",
            r"^[ \t]*(?:[Nn]\d+[ \t]*)?[GgMmTt]\d{1,3}(?:\.\d+)?(?:[ \t]*[A-Z][-+.\d]|[ \t]*(?:;|\(|\r?$))|^%\r?$",
        ),
        Rule("GAP", "no words of a machine"),
    ),
    "j": (
        Rule(
            "Jasmin",
            "directives of a class file",
            r"^[ \t]*\.(?:class|super|method|source|bytecode|interface|field|limit)\b",
        ),
        Rule("Objective-J", "imports and classes with @", r"^[ \t]*@(?:import|implementation|class|protocol|end)\b"),
        Rule(
            "JASS",
            "takes … returns, globals, endfunction",
            r"\btakes[ \t]+\w[^\n]{0,300}\breturns\b|^[ \t]*(?:globals|endglobals|endfunction|endif|endloop|library"
            r"|scope|native)\b|^[ \t]*call[ \t]+\w+[ \t]*\(|^[ \t]*type[ \t]+\w+[ \t]+extends\b",
        ),
        Rule("Objective-J", "no sign of another"),
    ),
    "k": (
        Rule(
            "KFramework",
            "modules with syntax and rules",
            r"^[ \t]*(?:module[ \t]+[A-Z][\w-]*|endmodule|requires[ \t]+\"|syntax[ \t]+\{?[A-Z]\w*"
            r"|configuration[ \t]*(?:<|\r?$)|rule[ \t]+[<\[(])",
        ),
        Rule(
            "KCL",
            "schema, imports, settings",
            r"^[ \t]*(?:schema[ \t]+\w+|import[ \t]+[\w.]+|mixin\b|check:|assert\b|lambda\b)|^\w+[ \t]*[=:]|^#",
        ),
        Rule("KFramework", "no sign of KCL"),
    ),
    "l": (
        Rule(
            "Lex",
            "sections parted by %%, %{ and %option",
            r"^%(?:%|\{|option\b|[xs][ \t]+\w|top\b|[apnkoe][ \t]+\d)",
        ),
        Rule("Roff", "requests with a dot", r"^\.(?:TH|SH|so|\\\"|Dd|Dt|Sh|PP|B|de|ds)\b|^[.']\\\"|^'\\\""),
        Rule(
            "PicoLisp",
            "de and dm, comments with #",
            r"^\((?:de|dm|class|load|allowed|rel|private|symbols|extend|setq|scl|test|er|must)[ \t]|^#!?[^|\n]*\bpil\b"
            r"|^#[ {]",
            unless=r"^\((?:def\w+|in-package)[ \t]",
        ),
        Rule("Common Lisp", "definitions in parentheses", r"^[ \t]*\([\w:*-]+|^;|^#\|"),
        Rule("Lex", "no sign of another"),
    ),
    "m": (
        Rule(
            "Objective-C",
            "imports, interfaces and implementations with @",
            r"^[ \t]*#[ \t]*(?:import|include|pragma|ifdef|ifndef|define|if)\b"
            r"|^[ \t]*@(?:interface|implementation|protocol|class|end|import|autoreleasepool|synthesize|property)\b",
            unless=r"^[ \t]*:-[ \t]*module\b",
        ),
        Rule(
            "Mercury",
            "declarations with :-",
            r"^[ \t]*:-[ \t]*(?:module|interface|implementation|pred|func|import_module|use_module|type|mode|pragma"
            r"|include_module|end_module|instance|typeclass|initiali[sz]e)\b",
        ),
        Rule(
            "Limbo",
            "module declarations with a colon",
            r"^[ \t]*implement[ \t]+\w[^;\n]*;|^[ \t]*include[ \t]+\"[^\"\n]+\.m\"|:[ \t]*(?:module|adt|con)\b"
            r"|\bPATH[ \t]*:[ \t]*con\b|:[ \t]*fn[ \t]*\(",
        ),
        Rule(
            "MUF",
            "Forth's definitions with stack effects, the editor's commands",
            r"^@(?:program|edit|prog|q|set)\b|^[ \t]*:[ \t]+[\w?!-][^\n(]*\([^\n]*--|^\$(?:def|include|ifdef|author"
            r"|note|version|doccmd|lib-)|^[ \t]*(?:lvar|public|var!?)[ \t]+[\w-]+[ \t]*\r?$|^[ \t]*:[ \t]+[\w?!-]+\r?$",
        ),
        Rule(
            "Wolfram Language",
            "comments with (*, packages, definitions with := and patterns",
            r"\A\ufeff?(?:#![^\n]{0,200}wolfram[^\n]{0,200}\n)?\s*\(\*|\bBegin(?:Package)?\[|\w_(?:[A-Z]\w{0,60})?[\],?:]"
            r"|\b[A-Z]\w*::usage\b|\b(?:Module|Block|With|Table|Plot|Print|Map|Needs|Set|Notebook|ClearAll)\["
            r"|^[ \t]*\w+[ \t]*=[ \t]*[A-Z]\w+\[",
        ),
        Rule(
            "M",
            "routines with labels, commands of one letter, comments after a semicolon",
            r"^%?\w+(?:\([^)\n]*\))?[ \t]+;|^[ \t]+;|^%?\w+\([\w%,]{0,120}\)[ \t]*(?:[ \t];[^\n]*)?\r?\n[ \t]"
            r"|^(?:%?\w+)?[ \t][. \t]*(?:[QqKkNnWwSsDd]|[Ss]et|SET|[Nn]ew|NEW|[Qq]uit|QUIT|[Ww]rite|WRITE|[Kk]ill"
            r"|DO|[Dd]o)(?::[^ \t\n]+)?[ \t]+[\w^$!\"(%]",
            unless=r"^[ \t]*%[ %]|^[ \t]*(?:function|classdef|end)\b|^[ \t]*\w+[ \t]*=[^=]",
        ),
        Rule(
            "MATLAB",
            "functions, comments with %, matrices",
            r"^[ \t]*%|^[ \t]*(?:function\b|classdef\b|end(?:if|for|while|function)?[ \t]*;?\r?$|clear\b|close all\b"
            r"|clc\b|disp[ \t]*\()|^[ \t]*\w+[ \t]*=|^[ \t]*\[[^\]\n]*\][ \t]*=|^#|\.\.\.[ \t]*\r?$|\b(?:f?printf)\(",
            unless=r"^[ \t]*(?://|/\*)|^[-+][ \t]*\(",
        ),
        Rule(
            "Objective-C",
            "C's comments",
            r"^[ \t]*(?://|/\*)|^[-+][ \t]*\(|\bNS[A-Z]\w|^(?:[A-Za-z_]\w*[ *]{1,3}){1,4}\w+[ \t]?\([^;=\n]*\r?$",
        ),
        Rule("MATLAB", "statements and nothing of another language"),
    ),
    "r": (
        Rule(
            "Rebol",
            "a header in brackets",
            r"(?i)^[ \t]*(?:rebol|red)(?:/\w+)?[ \t]*\[",
        ),
        Rule(
            "Rez",
            "resources: type, resource, data with ids",
            r"^[ \t]*(?:resource|data|type|change|delete)[ \t]+'[^'\n]{4}'"
            r"|^[ \t]*#[ \t]*include[ \t]+[<\"]|^[ \t]*#[ \t]*(?:ifndef|ifdef|define)[ \t]+\w",
            unless=r"<-[ \t]",
        ),
        Rule(
            "Rebol",
            "words set with a colon",
            r"^[ \t]*[\w-]+:[ \t]+(?:func|function|does|make|context|object|\[|\")|^;",
            unless=r"<-|^[ \t]*#",
        ),
        Rule("Rez", "C's block comment first", r"\A\ufeff?\s*/\*", unless=r"<-"),
        Rule("R", "the usual .r file"),
    ),
    "t": (
        Rule("Raku", "use v6, unit module, has $.attribute, multi sub", SURELY_RAKU, unless=NOT_RAKU),
        Rule("Perl", "strict, packages, arrows, =~", ONLY_PERL, unless=_TURING_OR_TERRA),
        Rule(
            "Raku",
            "use v6, Raku's signatures and classes",
            r"^[ \t]*(?:use[ \t]+v6|unit[ \t]+(?:module|class|grammar)|(?:my[ \t]+)?(?:class|role|grammar)[ \t]+[A-Z]"
            r"|multi[ \t]+(?:sub|method)|subset[ \t]+[A-Z]|need[ \t]+\w|plan[ \t]+\d+[ \t]*;[ \t]*#\?)"
            r"|^#\?(?:rakudo|DOES)\b|^#![^\n]*\b(?:raku|perl6)\b|^use[ \t]+Test;|\bdies-ok\b|\blives-ok\b|\bis-deeply\b"
            r"|\bthrows-like\b|^=begin[ \t]pod|^v6;",
            unless=r"^[ \t]*use[ \t]+(?:strict|warnings|Test::More|v?5)\b"
            r"|\bplan[ \t(]+(?:tests|todo)\b|\bBEGIN[ \t]*\{",
        ),
        Rule(
            "Raku",
            "blocks and signatures that Perl's grammar refuses",
            RAKU,
            unless=_TURING_OR_TERRA + r"|\A#![^\n]*perl\b(?!6)",
        ),
        Rule(
            "Perl",
            "use, my, sub, package",
            r"^[ \t]*(?:use[ \t]+(?:[A-Za-z]\w*(?:::\w+)*|v?5)|no[ \t]+\w+|my[ \t]*[($@%]|our[ \t]*[($@%]|sub[ \t]+\w+"
            r"[ \t]*\{|package[ \t]+[\w:]+|require[ \t]+\S|BEGIN[ \t]*\{|print[ \t]+[\"'])|^[ \t]*[$@%]\w+[ \t]*="
            r"|^#![^\n]*perl\b|^=(?:head\d|pod|cut)\b|^__(?:END|DATA)__",
        ),
        Rule(
            "Turing",
            "put, var and const with types, end of a name",
            r"^[ \t]*(?:put[ \t]+|get[ \t]+\w|(?:var|const)[ \t]+\w[^\n]*:|end[ \t]+\w|setscreen|View\.|import[ \t]+\w"
            r"|(?:proc|procedure|fcn|function)[ \t]+\w|unit[ \t]*\r?$|loop[ \t]*\r?$|%)",
            unless=r"^[ \t]*(?:local[ \t]|terra[ \t])",
        ),
        Rule(
            "Terra",
            "terra functions, Lua's locals",
            r"^[ \t]*(?:local[ \t]+(?:terra|function|struct|\w+[ \t]*=)|terra[ \t]+[\w.:]+|struct[ \t]+\w+"
            r"|terralib\.|function[ \t]+[\w.:]+|import[ \t]*\"|print[ \t]*\(|require[ \t]*\(?\"|--)|\bterralib\.",
        ),
        Rule("Perl", "the usual .t file"),
    ),
    "v": (
        Rule(
            "Rocq Prover",
            "commands that end with a point, comments with (*",
            r"^[ \t]*(?:(?:Local|Global|Polymorphic|Program|#\[[^\]\n]*\])[ \t]+)?(?:Require[ \t]+(?:Import|Export)?"
            r"|From[ \t]+\w|Import[ \t]+\w|Export[ \t]+\w|Theorem|Lemma|Definition|Inductive|Fixpoint|Section|Module"
            r"|Proof|Qed|Check|Axiom|Notation|Record|Variables?|Hypothesis|Parameter|Goal|Ltac|Set[ \t]+[A-Z]|Print"
            r"|Instance|Class|Example|Corollary|Compute|Arguments|Declare|CoInductive|Eval|Fail)\b[^;\n]*"
            r"(?:\.[ \t]*(?:\(\*[^\n]*)?\r?$|:=?|\r?$)",
            unless=r"^[ \t]*endmodule\b",
        ),
        Rule(
            "Verilog",
            "modules, directives, always blocks",
            r"^[ \t]*(?:module[ \t]+\\?\w+[ \t]*[#(;]|macromodule\b|endmodule\b|`\w+|(?:initial|always)\b"
            r"|(?:input|output|inout|wire|reg|parameter|localparam|assign|genvar)[ \t]+[^:=\n]"
            r"|primitive[ \t]+\w|timeunit\b)|\bendmodule\b",
        ),
        Rule(
            "V",
            "fn, module, import, mut, struct without semicolons",
            r"^[ \t]*(?:pub[ \t]+)?(?:fn[ \t]+[\w(]|module[ \t]+\w+[ \t]*\r?$|import[ \t]+[\w.]+|mut[ \t]+\w+[ \t]*:="
            r"|struct[ \t]+\w+[ \t]*\{|enum[ \t]+\w+[ \t]*\{|const[ \t]|interface[ \t]+\w|__global\b"
            r"|type[ \t]+\w+[ \t]*=)"
            r"|^[ \t]*\w+[ \t]*:=|\bprintln[ \t]*\(|^#!.*\bv\b|^\$if\b",
        ),
        Rule("Rocq Prover", "comments with (*", r"\A\ufeff?\s*\(\*|^[ \t]*\(\*[* ]"),
        Rule("Verilog", "the usual .v file"),
    ),
}

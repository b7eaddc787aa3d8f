"""Extensions shared by languages with braces.

These are `.as`, `.asc`, `.ash`, `.cairo`, `.cake`, `.ch`, `.cl`, `.cp`, `.cs`, `.d` and `.dsp`.
"""

from starloom.languages.ambiguous.rule import Rule

_TYPES = r"(?:void|u?int(?:8|16|32|64)?|bool|float|double|string|array<[^>\n]*>|dictionary)"

RULES = {
    "as": (
        Rule(
            "ActionScript",
            "package, import, var and function with types after a colon",
            r"^[ \t]*package(?:[ \t]+[\w.]+)?[ \t]*(?:\{|\r?$)|^[ \t]*import[ \t]+[\w.*]+[ \t]*;|\b(?:var"
            r"|const)[ \t]+\w+[ \t]*(?::[ \t]*[\w.*]+|=|;)|\bfunction[ \t]+(?:get[ \t]+|set[ \t]+)?\w+[ \t]*\("
            r"|^[ \t]*(?:on|onClipEvent)[ \t]*\([ \t]*\w+|\b(?:_root|_parent|_global|trace|gotoAndPlay"
            r"|gotoAndStop)\b|^[ \t]*(?:public|internal|dynamic|final)[ \t]+(?:dynamic[ \t]+|final[ \t]+)?(?:class"
            r"|interface|function|var)\b"
            r"|^[ \t]*#(?:initclip|endinitclip)|^[ \t]*\[(?:SWF|Embed|Bindable|Event)\b"
            r"|^[ \t]*class[ \t]+[\w.]+[ \t]+extends\b|\bMovieClip\b",
        ),
        Rule(
            "AngelScript",
            "C's declarations, handles with @, &in and &out",
            rf"^[ \t]*(?:(?:const|private|protected|shared|final"
            rf"|external)[ \t]+)*{_TYPES}(?:\[\])?[@&]?[ \t]+\w+[ \t]*[(=;,]|&[ \t]*(?:in|out|inout)\b"
            rf"|\b[A-Z]\w*@[ \t]*\w*|@\w+[ \t]*=|^[ \t]*(?:funcdef|mixin|shared|interface|namespace"
            rf"|import[ \t]+\w+[ \t]+\w+\()\b"
            r"|\bcast<|\barray<|^[ \t]*class[ \t]+\w+[ \t]*(?::|\{|\r?$)|^[ \t]*enum[ \t]+\w+",
        ),
        Rule("ActionScript", "no sign of AngelScript"),
    ),
    "asc": (
        Rule("Public Key", "an armoured key or signature", r"^-----BEGIN[ \t]|^---- BEGIN SSH2"),
        Rule("AsciiDoc", "a title with =, an anchor, a listing", r"^={1,6}[ \t]+\S|^\[\[[\w-]+\]\]\r?$|^\[source\b"),
        Rule(
            "AsciiDoc",
            "titles with =, attributes, blocks",
            r"^=+[ \t]+\S|^:[\w!-]+:(?:[ \t]|\r?$)|^(?:include|image|toc|ifdef|ifndef|endif)::|^\[\[[\w-]+\]\]"
            r"|^\[(?:source|NOTE|quote|cols|options|role|abstract|horizontal|verse|square|preface|appendix"
            r"|discrete)\b[^\]\n]*\]\r?$|\A\ufeff?[^\n{};]{2,}\n[=~^-]{3,}\r?$|^(?:\*|\.){1,5}[ \t]+\S",
            unless=r"^[ \t]*(?:function|import|export)[ \t]+\w+[^\n]*[;(]|^#section(?:start|end)\b"
            r"|^[ \t]*(?:(?:static|const)[ \t]+)*(?:function|void|int)[ \t]+\w+[ \t]*\(",
        ),
        Rule(
            "AGS Script",
            "functions and declarations in braces, the editor's section marks",
            r"^[ \t]*(?:(?:static|protected|noloopcheck|export|import|const)[ \t]+)*(?:function|void|int|bool"
            r"|String|float|struct|managed|enum|char|short|\w+\*)[ \t]+[\w:]+|^#section(?:start|end)\b|^[ \t]*//"
            r"|^[ \t]*(?:export|import)[ \t]+\w|\b(?:player|c[A-Z]\w+|g[A-Z]\w+)\.\w+|^[ \t]*#(?:define|ifdef"
            r"|ifndef|ifver)\b",
        ),
        Rule("AsciiDoc", "prose"),
    ),
    "ash": (
        Rule(
            "KoLmafia ASH",
            "script, import <x.ash>, plural types, $item[…]",
            r"^[ \t]*(?:script[ \t]*[\"<]|import[ \t]*[\"<]|since[ \t]+r?\d|notify[ \t]+[^\n]*;|record[ \t]+\w+"
            r"|boolean[ \t]+\w|(?:item|skill|effect|familiar|monster|location|stat|slot|class|coinmaster|buffer"
            r"|string|int|float)[ \t]*(?:\[[ \t]*\w+(?:[ \t]*,[ \t]*\w+)*[ \t]*\])[ \t]*\w)"
            r"|\$\w+\[|\b(?:my_\w+|have_\w+|visit_url|cli_execute|print_html|item_amount|to_(?:int|string|item"
            r"|skill|monster|location|effect|boolean)|get_property|set_property|adventure|user_confirm"
            r"|available_amount)[ \t]*\(|\bforeach[ \t]+\w|^[ \t]*print[ \t]*\(",
        ),
        Rule("AGS Script", "a header: import, struct, enum, #define"),
    ),
    "cairo": (
        Rule(
            "Cairo Zero",
            "func, %lang, %builtins, imports with from",
            r"^[ \t]*%(?:lang|builtins|\{)|^[ \t]*func[ \t]+\w+|^from[ \t]+[\w.]+[ \t]+import\b|\bfelt\*"
            r"|^[ \t]*@(?:storage_var|view|external|constructor|event|contract_interface|l1_handler)\b"
            r"|:[ \t]*felt\b|^[ \t]*(?:tempvar|alloc_locals|local)\b|^[ \t]*let[ \t]*\(",
            unless=r"^[ \t]*(?:pub[ \t]+)?fn[ \t]+\w|\bfelt252\b",
        ),
        Rule("Cairo", "fn, use, mod, attributes in #[ ]"),
    ),
    "cake": (
        Rule(
            "CoffeeScript",
            "task with an arrow, indentation",
            r"^[ \t]*task[ \t]+['\"]|(?:->|=>)[ \t]*\r?$|^[ \t]*\w+[ \t]*=[ \t]*require\b",
            unless=r"^[ \t]*(?:Task|Setup|Teardown|RunTarget)[ \t]*\(|;[ \t]*\r?$",
        ),
        Rule("C#", "a script of Cake"),
    ),
    "ch": (
        Rule("xBase", "commands of the preprocessor, C's comments", r"^[ \t]*#|^[ \t]*(?:/\*|//)"),
        Rule("Charity", "data and def with arrows", r"^[ \t]*(?:data|def)[ \t]+\w|=>|->|^[ \t]*%|^rf\b"),
        Rule("xBase", "the usual .ch file"),
    ),
    "cl": (
        Rule(
            "Cool",
            "class … inherits, comments with -- or (*",
            r"^[ \t]*class[ \t]+[A-Z]\w*(?:[ \t]+inherits\b|[ \t]*\{|[ \t]*\r?$)|^[ \t]*\(\*"
            r"|\binherits[ \t]+[A-Z]\w*[ \t]*\{|^[ \t]*\w+[ \t]*\([^)\n]*\)[ \t]*:[ \t]*\w+[ \t]*\{|\A\ufeff?\s*--",
            unless=r"\b__(?:kernel|global)\b|^[ \t]*\((?:defun|defpackage|in-package)\b",
        ),
        Rule(
            "Common Lisp",
            "the first form is a list",
            r"\A\ufeff?(?>(?:\s|;[^\n]*+|#\|(?>(?:[^|]|\|(?!#))*)\|#|#[+-][\w:]++|#!(?:[^\n]*+))*)[(`']",
            unless=r"\b__kernel\b",
        ),
        Rule("Common Lisp", "definitions in parentheses", r"^\((?:def\w+|in-package|cl:|setq|load|require|let)\b"),
        Rule(
            "OpenCL",
            "kernels, address spaces, C",
            r"\b(?:__)?kernel\b|\b__(?:global|local|constant)\b|\bget_(?:global|local)_id\b|^[ \t]*(?:#|//|/\*)"
            r"|^[ \t]*\w+[ \t]+\w+[^;\n]*\(",
        ),
        Rule("Common Lisp", "comments with a semicolon", r"^[ \t]*;|#\|"),
        Rule("OpenCL", "no parentheses first"),
    ),
    "cp": (
        Rule(
            "Component Pascal",
            "MODULE, IMPORT, PROCEDURE in capitals",
            r"^[ \t]*(?:MODULE[ \t]+\w+|IMPORT[ \t]+\w|PROCEDURE[ \t]*[\w*(]|END[ \t]+\w+[.;])|\A\ufeff?\s*\(\*",
        ),
        Rule("C++", "no module"),
    ),
    "cs": (
        Rule(
            "Smalltalk",
            "chunks with exclamation marks, messages",
            r"^!?\w[\w ]*[ ]methodsFor:[ \t]|^[ \t]*!\w+[^\n]*!\r?$|\b(?:subclass|instanceVariableNames"
            r"|classVariableNames):[ \t]*[#']|\A\ufeff?\s*'From [A-Z]|^\"Change Set:",
            unless=r"^[ \t]*(?:using[ \t]+[\w.]+;|namespace[ \t]+[\w.]+)",
        ),
        Rule("C#", "no chunks of Smalltalk"),
    ),
    "d": (
        Rule(
            "Makefile",
            "the rule of an object file, paths and a continued line",
            r"\A\ufeff?(?>(?:\s|#(?!!)[^\n]*+)*)(?!/[/*+])(?:[\w.+@$(){}/\\-]|\\ )+(?:\.\w+"
            r"|\))(?:[ \t]+[\w./$(){}-]+)*[ \t]*:(?!:)(?:[ \t]*\\?\r?$|[ \t]+[^\n]*[\w/\\][ \t]*\r?$)"
            r"|\A\ufeff?\s*(?!/[/*+]|#)(?=[^\s:]*[/\\])[^\s:;{}()\"']+[ \t]*:(?:[ \t]|\r?$)"
            r"|\A\ufeff?\s*(?:savedcmd|cmd|deps)_[^\n]*:=|^[\w./-]+\.l?o(?:bj)?[ \t]*:(?:[ \t]|\r?$)",
        ),
        Rule(
            "DTrace",
            "probes with colons, predicates, pragmas of D",
            r"\A#![^\n]*\bdtrace\b|^[ \t]*#pragma[ \t]+D[ \t]+(?:option|attributes|depends_on|binding)"
            r"|^[ \t]*[\w$*?]*:[\w.*?'`]*:[\w*?$`.+-]*:[\w*?$-]*|^(?:dtrace:::)?(?:BEGIN|END|ERROR)\b[ \t]*(?:\{|/"
            r"|,|\r?$)|^[ \t]*provider[ \t]+\w+[ \t]*\{|^[ \t]*probe[ \t]+\w+[ \t]*\("
            r"|\bself->\w|\b(?:quantize|lquantize|printa|copyinstr|curthread|execname|ustack"
            r"|jstack)\b[ \t]*[()=!;,]|^(?:tick|profile)-\d+|^[ \t]*@\w*\[|^(?:translator"
            r"|inline[ \t]+\w+[ \t]+\w+[ \t]*=)|\bxlate[ \t]*<",
            unless=r"^[ \t]*(?:module|import)[ \t]+[\w.]+[^;\n]*;",
        ),
        Rule("D", "no probes, no object file"),
    ),
    "dsp": (
        Rule(
            "Microsoft Developer Studio Project",
            "the header and markers of the file",
            r"^#[ \t]*(?:Microsoft Developer Studio|TARGTYPE|PROP|ADD|Begin[ \t]+(?:Project|Target|Source))\b"
            r"|^!(?:IF|MESSAGE|ENDIF)\b|^CFG=",
        ),
        Rule("Faust", "no project file"),
    ),
}

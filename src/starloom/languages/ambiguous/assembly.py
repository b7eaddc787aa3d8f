"""`.asm`, `.s`, `.i`, `.nas`: assemblers of Intel's, AT&T's and Motorola's habits, SWIG interfaces and Nasal.

"Unix Assembly" is what `as` and its kin read (`.globl`, `.text`, `%eax`),"
    " "Motorola 68K Assembly" is told by the 68000's
own sized mnemonics, "Assembly" is every other: NASM, MASM, armasm, ca65, SDCC's, Go's.
"""

from starloom.languages.ambiguous.rule import Rule

# Sized mnemonics that no other common processor has (`mov.w`, `add.w` would be an MSP430's or a Thumb's).
MOTOROLA = (
    r"(?i)^(?:[\w.@$]+:?)?[ \t]+(?:move[am]?\.[bwl][ \t]|moveq(?:\.l)?[ \t]+#|movea[ \t]|(?:add"
    r"|sub)q(?:\.[bwl])?[ \t]+#"
    r"|(?:add|sub|and|or|eor|cmp)i\.[bwl][ \t]|db(?:ra|f|eq|ne)[ \t]+%?d[0-7],|(?:bra|bsr|beq|bne)\.[sbw][ \t]"
    r"|lea(?:\.l)?[ \t]+[^;\n]*,[ \t]*%?a[0-7]\b|move[ \t]+[^;\n$]*,[ \t]*[-(]?%?[ad][0-7]\b)"
)
MOTOROLA_DATA = (
    r"(?i)^(?:[\w.@$]+:?)?[ \t]+(?:dcb?|ds|rs)\.[bwl][ \t]"
    r"|^[ \t]+(?:xdef|xref|ifnd|incdir)[ \t]+\S|^[ \t]+section[ \t]+\S+,[ \t]*(?:code|data|bss)(?:_[cfp])?\b"
    r"|^[ \t]+(?:STRUCTURE|LIBINIT|LIBDEF|APTR|UWORD|ULONG)[ \t]+\w|^\w+[ \t]+equr[ \t]+[ad][0-7]\b"
)
_SIX_FIVE_O_TWO = (
    r"(?i)^[ \t]+processor[ \t]|^(?:[\w.@]+:?)?[ \t]+(?:ld[axy][ \t]+#|(?:ld"
    r"|st)[axy][ \t]+\$[0-9a-f]{2}(?:[0-9a-f]{2})?[ \t]*(?:,[ \t]*[xy]|;|\r?$)|(?:in|de)[xy][ \t]*(?:;|\r?$)"
    r"|t(?:ax|ay|xa|ya|xs)[ \t]*(?:;|\r?$)|p[hl][axy][ \t]*(?:;|\r?$))"
)

_OTHER_ASSEMBLERS = (
    # ca65, SDCC's asxxxx and other 8-bit assemblers
    r"(?i)^[ \t]*\.(?:segment|endproc|proc|area|module|export|exportzp|import|importzp|setcpu|db|dw|res|addr|scope"
    r"|zeropage"
    r"|code|rodata|macpack|feature|p02|pc02|p816|incbin|org|optsdcc|autoimport|smart)\b"
    # armasm, MASM, NASM
    r"|^[ \t]+(?:AREA|EXPORT|IMPORT|THUMB|PRESERVE8|GET)\b|^[ \t]*(?:section|segment)[ \t]+\.?\w+|^[ \t]*(?:global"
    r"|extern)[ \t]+\w"
    r"|^[ \t]*%(?:define|macro|include|if\w*)\b|^[ \t]*\[?(?:bits|use)[ \t]*(?:16|32|64)\]?|^\w+:?[ \t]+(?:db|dw"
    r"|dd|equ)[ \t]"
    r"|^\*?(?:[A-Z@#$]\w{0,7})?[ \t]+(?:CSECT|DSECT|USING|DC[ \t]+[CXFAH]')"
)
# What as alone says, where other assemblers share its directives (`.proc` and `.export` are HP's and Itanium's too).
_ONLY_GAS = (
    r"^[ \t]*\.(?:callinfo|endp|level|type|size|text|section|ident|syntax|cpu|arch|set|p2align|cfi_\w+)\b"
    r"|^[ \t]*/\*|^[ \t]*#[ \t]*include\b"
)
_GAS = (
    r"^[ \t]*\.(?:globl|global|text|data|bss|section|align|p2align|balign|type|size|file|ident|cfi_\w+|ascii|asciz"
    r"|string|code"
    r"|code16|code32|code64|arm|thumb|thumb_func|syntax|cpu|arch|fpu|option|set|comm|lcomm|intel_syntax|att_syntax"
    r"|equ|equiv"
    r"|weak|hidden|quad|long|int|short|half|hword|byte|word|macro|endm|rept|include|skip|space|zero|extern|ent"
    r"|frame|even|eabi_attribute"
    r"|machine|toc|loc|altmacro|previous|pushsection|popsection|subsections_via_symbols|build_version|abicalls"
    r"|float|double|octa"
    r"|if|ifdef|ifndef|else|endif|req|ltorg|pool|inst|org|fill|rodata|proc|callinfo|level|import|export|space|code"
    r"|subspa)\b"
    r"|%[er]?(?:[abcd]x|[sd]i|[sb]p)\b|%(?:[goli][0-7]|[fs]p|r\d+)\b|^[ \t]*#[ \t]*(?:include|define|if|ifdef"
    r"|ifndef)\b"
)

_SWIG = (
    r"^[ \t]*%(?:module|\{|\}|typemap|template|feature|rename|ignore|extend|apply|clear|inline|insert|exception"
    r"|newobject|wrapper"
    r"|init|begin|runtime|header|naturalvar|shared_ptr|\w+code|constant|enddef|fragment|import|nodefault\w*"
    r"|immutable|mutable"
    r"|delobject|callback|native|catches|contract|warnfilter|pragma|typecheck|array_\w+|pointer_\w+|numpy_\w+"
    r"|attribute\w*"
    r"|allowexception|director|echo|inline|unrefobject|refobject|javaconst\w*|interface\w*|unique_ptr|valuewrapper"
    r"|makedefault)\b"
    r'|^[ \t]*%(?:module|include|extend|import)[ \t]*[<"(]|^[ \t]*%[{}]|\bSWIG(?:_\w+|PYTHON|PERL|JAVA|RUBY|TCL'
    r"|CSHARP|R|GO|OCTAVE|LUA)?\b"
    r'|^[ \t]*%include[ \t]+[<"]?[\w./+-]+\.(?:i|swg|h|hpp|hh|hxx)\b'
)

RULES = {
    "asm": (
        Rule("Motorola 68K Assembly", "the 68000's sized mnemonics", MOTOROLA, unless=_SIX_FIVE_O_TWO),
        Rule(
            "Motorola 68K Assembly",
            "dc.l, ds.w, xdef and the like, without another processor's mnemonics",
            MOTOROLA_DATA,
            unless=_SIX_FIVE_O_TWO + r"|\b(?:mov|push|pop|call|ldi?r|ld)[ \t]+[a-z({]|\.model\b|\bbyte[ \t]+ptr\b",
        ),
        Rule("Assembly", "no sign of a 68000"),
    ),
    "s": (
        Rule("Motorola 68K Assembly", "the 68000's sized mnemonics", MOTOROLA, unless=_SIX_FIVE_O_TWO),
        Rule("Assembly", "functions as Go and Plan 9 write them", r"^[ \t]*(?:TEXT|GLOBL|DATA)[ \t]+[^\n]*\(SB\)"),
        Rule(
            "Assembly",
            "directives of another assembler than as: ca65, asxxxx, armasm, NASM",
            _OTHER_ASSEMBLERS,
            unless=_ONLY_GAS,
        ),
        Rule("Assembly", "mnemonics of a 6502", _SIX_FIVE_O_TWO, unless=_ONLY_GAS),
        Rule(
            "Assembly",
            "comments begin with a semicolon, none as in C, no directive of as",
            r"^[ \t]*;",
            unless=_ONLY_GAS + r"|^[ \t]*(?:#|@|//|/\*)|^[ \t]*\.globa?l\b",
        ),
        Rule("Unix Assembly", "directives of as, registers with %, C's preprocessor", _GAS),
        Rule(
            "Motorola 68K Assembly",
            "dc.l, ds.w, xdef and the like, without another processor's mnemonics",
            MOTOROLA_DATA,
            unless=_SIX_FIVE_O_TWO,
        ),
        Rule("Unix Assembly", "the usual .s file"),
    ),
    "i": (
        Rule("SWIG", "%module, %typemap, %{ and other directives of SWIG", _SWIG),
        Rule("Motorola 68K Assembly", "the 68000's sized mnemonics", MOTOROLA, unless=_SIX_FIVE_O_TWO),
        Rule(
            "Motorola 68K Assembly",
            "dc.l, ds.w, xdef, STRUCTURE and the like",
            MOTOROLA_DATA,
            unless=_SIX_FIVE_O_TWO,
        ),
        Rule(
            "Motorola 68K Assembly",
            "comments with an asterisk, hexadecimal numbers with a dollar",
            r"^\*",
            also=r"^\w+:?[ \t]+(?i:equ|=)[ \t]+\$",
        ),
        Rule(
            "Assembly",
            "comments begin with a semicolon; labels, equ, macros",
            r"(?i)^[ \t]*;|^\w*:?[ \t]+(?:equ|db|dw|macro|mov|lda|ld|jmp|call)\b|^[ \t]*(?:%(?:define|macro)"
            r"|\.(?:macro|equ|byte|db))\b",
        ),
        Rule("SWIG", "declarations of C"),
    ),
    "nas": (
        Rule(
            "Nasal",
            "var, func, props, braces and comments with #",
            r"^[ \t]*(?:var[ \t]+[\w(]|#)|\bfunc[ \t]*(?:\w*[ \t]*\(|\{)|\b(?:get|set)prop[ \t]*\(|\bprops\.\w"
            r"|^[ \t]*\w[\w.]*[ \t]*\([^\n]*\);",
            unless=r"(?i)^[ \t]*(?:;|(?:section|global|extern|org|bits|\[bits|mov|push|db)\b)",
        ),
        Rule("Assembly", "comments with a semicolon, sections, mnemonics"),
    ),
}

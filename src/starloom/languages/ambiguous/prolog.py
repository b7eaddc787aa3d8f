"""`.pro`, `.plt`, and how Prolog looks: project files and scripts of other tools share its extensions.

Perl's module needs the same patterns for `.pl`.
"""

from starloom.languages.ambiguous.rule import Rule

# A directive, or a clause's head and neck. A line of Perl or IDL does not begin so outside of its strings.
CLAUSES = (
    r"^[ \t]*:-[ \t]*(?:[a-z(\[\\]|\r?$)|^[ \t]*\?-|^(?:[a-z]\w*" r"|'[^'\n]{1,80}')(?:\([^\n]*\))?[ \t]*(?::-|-->)"
)
FACTS = r"^(?:[a-z]\w*|'[^'\n]{1,80}')\([^\n]*\)\.[ \t]*(?:%[^\n]*)?\r?$"
COMMENTS = r"\A\ufeff?(?:#![^\n]*+\n)?\s*+(?:%(?![\w{(]+[ \t]*[=;,.)-])|/\*)"

_QMAKE = (
    r"^[ \t]*(?:[\w|:!()=.,\"-]+[ \t]*[:{][ \t]*)?(?:TEMPLATE|QT|CONFIG|SOURCES|HEADERS|TARGET"
    r"|SUBDIRS|INCLUDEPATH|DEFINES|LIBS|FORMS|RESOURCES|DESTDIR|TRANSLATIONS"
    r"|VERSION|DEPENDPATH|OBJECTS_DIR|MOC_DIR|UI_DIR|RC_FILE|INSTALLS|PKGCONFIG|QMAKE_\w+"
    r"|OTHER_FILES|DISTFILES|OBJECTIVE_SOURCES|LANGUAGE|INTERFACES|QML_IMPORT_PATH|RC_ICONS|ICON"
    r"|MOBILITY|symbian|CODECFORTR|PRECOMPILED_HEADER|ANDROID_\w+|load|target\.path"
    r"|[A-Z_]+\.(?:files|path|depends|subdir|file))[ \t]*[-+*~]?="
    r"|^[ \t]*(?:include|load|requires|error|message|warning|contains|greaterThan|equals|isEmpty"
    r"|exists|qtHaveModule|lessThan|defineTest|defineReplace|!?(?:win32|unix|macx|linux|mac"
    r"|android|ios))[ \t]*\([^\n]*\)[ \t]*[{:]?"
    r"|^[ \t]*!?(?:win32|unix|macx?|linux|android|ios|symbian|debug|release"
    r"|CONFIG\([^)\n]*\))\b[^\n=]{0,80}[{:]|\$\$(?:\w|\{|\[|PWD)"
)
_IDL = (
    r"(?i)^[ \t]*(?:pro|function)[ \t]+\w[\w:]*[ \t]*(?:,|;|\r?$)|^[ \t]*compile_opt\b"
    r"|^[ \t]*(?:endif|endfor|endelse|endwhile|endcase|endforeach|endrep)\b"
    r"|^[ \t]*(?:print|printf|plot|oplot|message|plots|xyouts|openr|openw|readf|window|device"
    r"|set_plot|tv|tvscl|restore|save|contour|loadct|on_error|wset|forprint|readcol|spawn"
    r"|common)[ \t]*,"
    r"|\bthen[ \t]+begin\b|\bdo[ \t]+begin\b|\bn_elements[ \t]*\(|\bkeyword_set[ \t]*\("
    r"|\b(?:fltarr|dblarr|intarr|findgen|indgen|strarr|replicate|lonarr|bytarr|dindgen)[ \t]*\("
)

RULES = {
    "pro": (
        Rule(
            "Proguard",
            "options such as -keep and -dontwarn",
            r"^[ \t]*-(?:keep\w*|dont\w+|injars|outjars|libraryjars|optimizationpasses|optimizations"
            r"|assume\w+|allowaccessmodification|renamesourcefileattribute|repackageclasses"
            r"|flattenpackagehierarchy|overloadaggressively|print\w+|ignorewarnings|verbose|adapt\w+"
            r"|useuniqueclassmembernames|obfuscationdictionary|applymapping|include[ \t]|basedirectory"
            r"|target[ \t]+1|mergeinterfacesaggressively|if[ \t]+class|whyareyoukeeping"
            r"|classobfuscationdictionary|packageobfuscationdictionary|microedition|forceprocessing"
            r"|skipnonpubliclibrary\w+|useproguard)",
        ),
        Rule("INI", "sections in brackets, lower-case settings", r"^\[[\w/ .:-]+\][ \t]*\r?$|^last_client=|^update=\d"),
        Rule(
            "Prolog",
            "directives and clauses with :-",
            CLAUSES,
            unless=r"^[ \t]*(?:QT|SOURCES|HEADERS|TEMPLATE|TARGET)[ \t]*\+?=",
        ),
        Rule(
            "IDL",
            "pro, function, endif, commands with a comma",
            _IDL,
            unless=r"^[ \t]*(?:QT|SOURCES|HEADERS|TEMPLATE|CONFIG)[ \t]*[-+]?=",
        ),
        Rule("QMake", "TEMPLATE, SOURCES and other variables, scopes", _QMAKE),
        Rule("Prolog", "facts that end with a full stop", FACTS),
        Rule("Prolog", "comments with %, /* */", COMMENTS),
        Rule("IDL", "comments with ;", r"^[ \t]*;"),
        Rule("QMake", "settings in capitals, comments with #", r"^[ \t]*[A-Z_]+[ \t]*[-+*~]?=|^[ \t]*#"),
        Rule("IDL", "assignments of a script", r"^[ \t]*\w+[ \t]*=[ \t]*\S"),
        Rule("QMake", "the usual .pro file"),
    ),
    "plt": (
        Rule("Prolog", "directives and clauses with :-", CLAUSES),
        Rule(
            "Prolog", "facts, comments with %", FACTS + "|" + COMMENTS, unless=r"^[ \t]*(?:set|plot|splot|unset)[ \t]"
        ),
        Rule("Gnuplot", "set, plot and other commands"),
    ),
}

"""`.h`, `.hh`: headers of C, C++, Objective-C and Hack.

A header is C until something says more. Signs are looked for where code stands (at the start of a line), since words
such as `class` and `namespace` are common in C's comments. A C header that C++ may include wraps its declarations in
`#ifdef __cplusplus` and `extern "C"`; what little C++ such a wrapper holds does not make the header C++.

Limit: a C++ header of nothing but prototypes that C allows too is taken for C.
"""

from starloom.languages.ambiguous.rule import Rule

_GUARD = r"^[ \t]*#[ \t]*if(?:def\b|[^\n]*?\bdefined\b)[^\n]*\b__cplusplus\b"

_OBJECTIVE_C = (
    r"^[ \t]*@(?:interface|protocol|implementation)[ \t]+\w+(?:[ \t]*[:(<{;,]|[ \t]*\r?$(?!\n[ \t]*\*))"
    r"|^[ \t]*@class[ \t]+\w+(?:[ \t]*,[ \t]*\w+)*[ \t]*;"
    r"|^[ \t]*@property[ \t]*(?:\(|\w)[^\n]*;|^@end\b"
)
_OBJECTIVE_C_IMPORT = r'^[ \t]*(?:#[ \t]*import[ \t]*[<"][^>"\n]+\.h[>"]|@import[ \t]+\w)'
# begins with a literal, which `re` looks for far faster than for a word boundary
_COCOA = (
    r"NS(?:_(?:ENUM|OPTIONS|ASSUME_NONNULL_BEGIN|SWIFT_NAME|AVAILABLE)\b"
    r"|(?:String|Array|Dictionary|Object|Error)[ \t]*\*)"
)

# What only C++ says, at the start of a line or where no comment's mark stands before it on the line.
_CLASS = (
    r"^[ \t]*(?:typedef[ \t]+)?class[ \t]+(?:\w+(?:\([^)\n]*\))?[ \t]+)?[\w:]+[ \t]*(?:final[ \t]*)?"
    r"(?:[;{]|:[ \t\r\n]|:$|\r?\n[ \t]*[{:])"
    r"|^[ \t]*(?:public|private|protected)(?:[ \t]+(?:Q_SLOTS|slots))?[ \t]*:(?!:)|^[ \t]*(?:Q_SIGNALS"
    r"|signals)[ \t]*:"
)
_TEMPLATE = r"^[ \t]*(?:extern[ \t]+)?template[ \t]*<"
_NAMESPACE = (
    r"^[ \t]*(?:inline[ \t]+)?namespace(?:[ \t]+[\w:]+)?[ \t]*(?:\{|\r?\n[ \t]*\{)|^[ \t]*using[ \t]+namespace\b"
    r"|^[ \t]*using[ \t]+(?:\w+[ \t]*=|(?:typename[ \t]+)?(?:::)?\w+::)"
)
_STRONG = rf"{_CLASS}|{_TEMPLATE}|{_NAMESPACE}"
_MEMBERS = (
    r"^[ \t]*(?:virtual|explicit|friend|constexpr|mutable|static[ \t]+constexpr)[ \t][^\n]*[(;{]"
    r"|^[ \t]*struct[ \t]+(?:\w+[ \t]+)?\w+(?:[ \t]+final)?[ \t]*:[ \t]*(?:public|private|protected"
    r"|virtual)?[ \t]*[\w:]+[<{ \t\r\n,]"
    r"|^[^*/\"'#\n]*\boperator[ \t]*(?:\(\)|\[\]|[-+*/%<>=!&|^~]{1,3})[ \t]*\("
    r"|^[^*/\"'#\n]*~\w+[ \t]*\([ \t]*(?:void)?[ \t]*\)"
    r"|\)[ \t]*const[ \t]*(?:[;{]|=[ \t]*0|\r?\n[ \t]*\{|noexcept|override)"
    r"|\)[^;\n]{0,40}\boverride[ \t]*[;{]|\)[^;\n]{0,40}\bnoexcept\b|=[ \t]*(?:default|delete)[ \t]*;"
    r"|^[ \t]*enum[ \t]+(?:class|struct)\b"
)
_EXPRESSIONS = (
    r"^(?=[^\n]{0,400}[;{][ \t]*\r?$)[^*/\"'#\n]{0,200}?\b[A-Za-z_]\w*(?:<[^<>\n]{0,80}>)?::~?[A-Za-z_]"
    r"|\b(?:static|dynamic|const|reinterpret)_cast[ \t]*<"
    # a reference leans on its type or on its name; a bitwise and has a space on both sides or on none. Most lines have
    # no sign of one: they are told by that in one go
    r"|^(?=[^&\n]*&)[^*/\"'#\n]*[(,][ \t]*(?:const[ \t]+)?[A-Za-z_][\w:]*(?:<[^<>\n]*>)?(?:[ \t]+&"
    r"|&[ \t]+)[A-Za-z_]\w*[ \t]*[,)=]"
    r"|^[^*/\"'#\n]*\bconst[ \t]*&[ \t]*\w*[ \t]*[,)]"
    # a default argument
    r"|^(?=[^*/\"'#\n(=]*\([^)\"'\n/=&|<>]*=)(?![ \t]*(?:for|if|while|switch|return"
    r"|typedef)\b)[^*/\"'#\n(=]*\w[ \t]*\([^)\"'\n*/=&|<>]*"
    r"\b\w+[ \t]+\*?\w+[ \t]*=[ \t]*[-\w.]+[ \t]*[,)][^\n]*[;{][ \t]*\r?$"
)
_INCLUDES = (
    r'^[ \t]*#[ \t]*include[ \t]*(?:<[\w/-]+>|[<"][^>"\n]+\.(?:hpp|hh|hxx|h\+\+|ipp|tcc)[>"])'
    r'|^[ \t]*extern[ \t]*"C(?:\+\+)?"|^[ \t]*#[ \t]*ifndef[ \t]+__cplusplus[ \t]*\r?\n[ \t]*#[ \t]*error'
    r"|\bQ_(?:OBJECT|GADGET|DECLARE_\w+)\b"
)

RULES = {
    "h": (
        Rule("Objective-C", "@interface, @protocol, @class or @property declares", _OBJECTIVE_C, unless=r"__OBJC__"),
        Rule(
            "C",
            'C++ stands only behind #ifdef __cplusplus, around extern "C"',
            _GUARD,
            also=r'\bextern[ \t]*"C"|\bG_BEGIN_DECLS\b',
            unless=r"^[ \t]*(?:public|protected)[ \t]*:(?!:)|^namespace\b[^\n;]*\{|^[ \t]*@(?:interface|protocol)\b",
        ),
        Rule("C++", "a class, template or namespace", _STRONG),
        Rule("C++", "members as only C++ has them: virtual, operator, destructor, const method", _MEMBERS),
        Rule("C++", 'includes a C++ header, or extern "C" without a guard', _INCLUDES, unless=_GUARD),
        Rule("Objective-C", "#import of a header", _OBJECTIVE_C_IMPORT),
        Rule("Objective-C", "Cocoa's own types and macros", _COCOA),
        Rule("C++", "a qualified name, a reference or a default argument", _EXPRESSIONS),
        Rule("Objective-C", "@interface, @protocol, @class or @property declares", _OBJECTIVE_C),
        Rule("C", "nothing that C lacks"),
    ),
    "hh": (
        Rule("Hack", "opens with <?hh", r"\A(?:\ufeff|#![^\n]*\n)?\s*<\?hh\b"),
        Rule(
            "Hack",
            "function with $variables, attributes in << >>, use namespace",
            r"^[ \t]*<<__\w+|^use[ \t]+(?:namespace|type|function)\b|^[^/*\n]*\bfunction[ \t]+\w+[^;\n]*\("
            r"|^[ \t]*\$\w+[ \t]*=",
            unless=r"^[ \t]*#[ \t]*(?:include|define|if|pragma)\b",
        ),
        Rule("C++", "no sign of Hack"),
    ),
}

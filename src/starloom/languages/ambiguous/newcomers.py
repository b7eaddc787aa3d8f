"""Extensions that a newer language took, knowing or not that an older one had them.

`.nl`, `.nu`, `.pkl`, `.qs`, `.re`, `.reds`, `.shader`, `.svx`, `.tact`, `.tl`, `.tsp`, `.uc`, `.php` (Hack).
"""

from starloom.languages.ambiguous.rule import Rule

RULES = {
    "nl": (
        Rule("NL", "the first line of an AMPL problem", r"\A\ufeff?[gb]\d+(?:[ \t]+-?[\d.]+)*[ \t]*(?:#|\r?$)"),
        Rule("NewLisp", "lists, comments with ; or #"),
    ),
    "nu": (
        Rule(
            "Nushell",
            "def, let, mut, pipelines of Nushell",
            r"^[ \t]*(?:export[ \t]+)?(?:def(?:-env)?|let|mut|use|alias|module|extern|source|source-env"
            r"|overlay|const|export-env)[ \t]+[\w\"'@$-]|\$env\b|\$in\b|^[ \t]*(?:for|if|while|match|else"
            r"|try|loop|each|where|get|print|ls|open|echo|cd|http)\b[^\n()]*(?:\{|\||\r?$)"
            r"|\|[ \t]*(?:each|where|get|select|sort-by|into|lines|str|from|to|first|length|save|table"
            r"|math)\b",
        ),
        Rule("Nu", "begins with a list or a comment with ;", r"\A\ufeff?(?>(?:\s|[;#][^\n]*+)*)\(|^[ \t]*;"),
        Rule("Nushell", "the usual .nu file"),
    ),
    "pkl": (
        Rule(
            "Pickle",
            "operations of pickle's text protocol",
            r"\A(?:\x80|\(?[\](}]?(?:[dlit])?p\d+\r?$|\([dlt]p?\d*\r?$|\(i?c?[\w.]+\r?\n\w+\r?\n"
            r"|c[\w.]+\r?\n\w+\r?\n|[ILFSVN][^\n]*\r?\n(?:p\d+\r?\n)?\.)|^[gp]\d+\r?$",
        ),
        Rule("Pkl", "modules, classes, objects"),
    ),
    "qs": (
        Rule(
            "Q#",
            "namespaces, operations, qubits",
            r"^[ \t]*(?:namespace[ \t]+[\w.]+[ \t]*\{?|open[ \t]+[\w.]+|(?:internal[ \t]+)?(?:operation"
            r"|newtype)[ \t]+\w+|@(?:EntryPoint|Config|Test)\b|import[ \t]+(?:Std|Microsoft)\."
            r"|(?:internal[ \t]+)?function[ \t]+\w+[^\n{]*\)[ \t]*:[ \t]*\w+)"
            r"|\buse[ \t]+\w+[ \t]*=[ \t]*Qubit|\bQubit\b|^[ \t]*mutable[ \t]+\w+",
        ),
        Rule("Qt Script", "statements of ECMAScript"),
    ),
    "re": (
        Rule(
            "C++",
            "re2c blocks, the preprocessor",
            r"/\*!(?:re2c|max|types|ignore|include|rules|use|stags|getstate|header|conditions)|^[ \t]*%\{"
            r"|^[ \t]*#[ \t]*(?:include|define|if|ifn?def|pragma|endif|undef)\b|^[ \t]*(?:template[ \t]*<"
            r"|namespace[ \t]+\w+[ \t]*\{|using[ \t]+namespace)|\bstd::\w|^[ \t]*(?:static|int|void"
            r"|unsigned|const[ \t]+char|extern)[ \t]+[\w*]",
        ),
        Rule("Reason", "no preprocessor"),
    ),
    "reds": (
        Rule(
            "Red",
            "the header Red/System [",
            r"(?i)^[ \t]*(?:Red(?:/System)?|Rebol)[ \t]*\[|^[ \t]*;|^[ \t]*#(?:include|define|import|enum"
            r"|if|either|switch|syscall|export)[ \t]+[\[%\w]|^[ \t]*[\w!?*~-]+:[ \t]+(?:func|function"
            r"|alias|context|declare|make|does|routine|\d|as[ \t])",
        ),
        Rule("Redscript", "func, class, annotations, comments with //"),
    ),
    "shader": (
        Rule(
            "ShaderLab",
            'Shader "…" { }, SubShader, Properties',
            r"^[ \t]*(?i:Shader[ \t]+\"|SubShader\b|Properties[ \t]*\{|FallBack[ \t]+|CGPROGRAM"
            r"|HLSLPROGRAM|CGINCLUDE|Pass[ \t]*\{)",
        ),
        Rule("GLSL", "functions of a shader"),
    ),
    "svx": (
        Rule(
            "Survex data",
            "commands with *, comments with ;",
            r"^[ \t]*\*(?i:begin|end|data|export|equate|calibrate|fix|entrance|date|team|include"
            r"|instrument|units|title|cs|flags|infer|prefix|require|sd|set|solve|truncate|declination"
            r"|alias|case|copyright|default|ref)\b(?!\*)|^[ \t]*;",
        ),
        Rule("mdsvex", "Markdown with components"),
    ),
    "tact": (
        Rule("JSON", "begins with a brace or bracket", r"\A\ufeff?\s*[{\[]"),
        Rule("Tact", "no brace at the beginning"),
    ),
    "tl": (
        Rule(
            "Type Language",
            "constructors with their number and type; ---functions---",
            r"^[ \t]*---(?:functions|types)---|^[ \t]*[a-z][\w.]*#[\da-f]{1,8}\b[^\n]*=|^(?!local\b"
            r"|global\b|return\b|const\b)[a-z][\w.]*(?:[ \t]+(?:\{[^}\n]{0,80}\}|#|[\w.]+:[^\s=]+"
            r"|\[[^\]\n]{0,80}\]|\d+\*\[[^\]\n]{0,80}\]))*[ \t]*=[ \t]*[A-Z][\w.]*[^\n=]{0,80};",
        ),
        Rule("Type Language", "comments with //", r"\A\ufeff?\s*//"),
        Rule("Teal", "the usual .tl file"),
    ),
    "tsp": (
        Rule(
            "TSPLIB data",
            "NAME, TYPE, DIMENSION and sections",
            r"(?i)^[ \t]*(?:(?:name|type|dimension|edge_weight_\w+|comment|capacity|node_coord_type"
            r"|display_data_type|edge_data_format)[ \t]*:|(?:node_coord|edge_weight|display_data"
            r"|edge_data|tour|depot|demand|fixed_edges)_section)",
            unless=r"^[ \t]*(?:import[ \t]+\"|using[ \t]+[\w.]+;|namespace[ \t]|model[ \t]|@\w)",
        ),
        Rule("TypeSpec", "the usual .tsp file"),
    ),
    "uc": (
        Rule(
            "UnrealScript",
            "class … extends, defaultproperties",
            r"(?i)^[ \t]*(?:class|interface)[ \t]+\w+[ \t\r\n]*(?:(?:extends|expands|dependson|abstract"
            r"|config|within|native)\b|;)|^[ \t]*defaultproperties\b|^[ \t]*(?:(?:simulated|native|final"
            r"|static|exec|latent|singular)[ \t]+){0,5}(?:event|function)[ \t]+\w+[ \t]+\w+[ \t]*\("
            r"|^[ \t]*var[ \t]*(?:\([^)\n]*\)[ \t]*)?(?:(?:const|config|globalconfig|transient|private"
            r"|protected|travel|localized|export|editinline|native|input)[ \t]+)*(?:int|float|bool|string"
            r"|name|byte|class|vector|rotator|array|enum|struct)\b|^[ \t]*#exec\b",
        ),
        Rule(
            "ucode",
            "let, import, arrows, templates with {%",
            r"\{[%{#][-+]?|\blet[ \t]+[\w{\[]|^[ \t]*(?:import|export)[ \t]|=>"
            r"|^[ \t]*['\"]use strict['\"]|^[ \t]*const[ \t]+\w+[ \t]*=|\bprintf?[ \t]*\("
            r"|\brequire[ \t]*\(|^[ \t]*function[ \t]+\w+[ \t]*\([^)\n]*\)[ \t]*\{|\A#!",
        ),
        Rule("UnrealScript", "the usual .uc file"),
    ),
    "php": (
        Rule("Hack", "<?hh", r"\A\ufeff?(?:#![^\n]*\n)?\s*<\?hh\b"),
        Rule("PHP", "the usual .php file"),
    ),
}

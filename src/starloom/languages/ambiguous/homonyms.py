"""Short extensions that languages of different worlds chose independently.

`.p`, `.w` (OpenEdge), `.q`, `.rpy`, `.sc`, `.scd`, `.scm`, `.sip`, `.st`, `.tpl`, `.tst`, `.vba`, `.x`.
"""

from starloom.languages.ambiguous.rule import Rule

_SUPER_COLLIDER = (
    r"^[+][ \t]*\w+[ \t]*\{|^[A-Z]\w*[ \t]*(?:\[[^\]\n]*\][ \t]*)?(?::[ \t]*[A-Z]\w*[ \t]*)?\{"
    r"|\.(?:ar|kr|ir)[ \t]*[(;,)]|^[ \t]*(?:arg|classvar)[ \t]+[\w<>.]|\bSynthDef\b|\.(?:play"
    r"|postln|postcln|scope|plot|asStream|fork)\b|\bs\.(?:boot|quit|reboot|waitForBoot|sync"
    r"|meter)\b|^[ \t]*~\w+|^[ \t]*\^|\b(?:Pbind|Pdef|Ndef|Routine|Tdef|Pseq|Server|Synth|Buffer"
    r"|MIDIIn|Task)\b[ \t]*[.(]|\{[ \t]*(?:arg[ \t]|\|\w+[\w, =.]*\|)|^[ \t]*\*\w+[ \t]*\{"
    r"|\\\w+[ \t]*,"
)

RULES = {
    "p": (
        Rule(
            "Gnuplot",
            "plot, splot, set",
            r"^[ \t]*(?:s?plot[ \t]+[\['\"\w(<$-]|replot\b|(?:un)?set[ \t]+(?:term\w*|output|out|xlabel"
            r"|ylabel|zlabel|title|xrange|yrange|zrange|key|nokey|grid|log\w*|style|label|arrow|xtics"
            r"|ytics|multiplot|size|datafile|palette|pm3d|view|border|format|timefmt|xdata|parametric"
            r"|polar|samples|autoscale|isosamples|hidden3d|contour|lmargin|rmargin|encoding|nokey|data)\b"
            r"|fit[ \t]+\w+\()",
        ),
        Rule("OpenEdge ABL", "statements of ABL"),
    ),
    "w": (
        Rule(
            "CWeb",
            "sections and modules with @",
            r"^@[*<cdfph \n\r]",
            unless=r"(?i)^[ \t]*&(?:analyze-|scoped-define|global-define)",
        ),
        Rule(
            "OpenEdge ABL",
            "&ANALYZE-SUSPEND, DEFINE",
            r"(?i)^[ \t]*&(?:analyze-(?:suspend|resume)|scoped-define|global-define|if|endif|else)\b"
            r"|^[ \t]*(?:define|def)[ \t]+(?:input|output|new|variable|var|shared|temp-table|parameter"
            r"|query|button|frame|buffer)\b|^[ \t]*(?:procedure|function)[ \t]+[\w-]+[^\n]*[:.][ \t]*\r?$"
            r"|^[ \t]*(?:end|display|message|run|find|create[ \t]+widget-pool)\b[^\n]*\.[ \t]*\r?$",
        ),
        Rule("CWeb", "modules with @<, comments with %", r"@[*<>]|^[ \t]*\\\w|^[ \t]*%"),
        Rule("OpenEdge ABL", "the usual .w file"),
    ),
    "q": (
        Rule(
            "HiveQL",
            "statements of SQL",
            r"(?i)^[ \t]*(?:(?:create|drop|alter)[ \t]+(?:external[ \t]+|temporary[ \t]+"
            r"|or[ \t]+replace[ \t]+|materialized[ \t]+)*(?:table|database|schema|view|function|index"
            r"|macro|role|resource)\b|insert[ \t]+(?:overwrite|into)[ \t]+\w|load[ \t]+data\b"
            r"|set[ \t]+[\w.:]+[ \t]*=|set[ \t]+role\b|explain\b|describe[ \t]+\w|desc[ \t]+\w"
            r"|analyze[ \t]+table|use[ \t]+\w+[ \t]*;|show[ \t]+(?:tables|databases|partitions|functions"
            r"|create|columns|grant|locks|indexes|table)\b|dfs[ \t]+-|source[ \t]+|add[ \t]+(?:jar"
            r"|file)\b|truncate[ \t]+table|with[ \t]+\w+[ \t]+as[ \t]*\(|msck\b|export[ \t]+table"
            r"|import[ \t]+(?:table|from)|from[ \t]*\(|select[ \t]+(?:\*|distinct\b|count\("
            r"|[^\n]*;[ \t]*\r?$))|^--",
        ),
        Rule(
            "q",
            "assignments with a colon, symbols, lambdas, comments with /",
            r"^[ \t]*[A-Za-z.][\w.]*(?:\[[^\]\n]*\])?[-+*,|&%]?:|`|\{\[|^\\(?:[a-z]\b|\r?$)|^/"
            r"|\.[zQhjo]\.\w|^[ \t]*(?:show|system|select|exec|update|delete)\b|[+*%,-]/",
        ),
        Rule("HiveQL", "a query over several lines", r"(?i)^[ \t]*(?:select|from|where|group[ \t]+by)\b"),
        Rule("q", "the usual .q file"),
    ),
    "rpy": (
        Rule(
            "Ren'Py",
            "labels, scenes, dialogue",
            r"^[ \t]*(?:label[ \t]+[\w.]+(?:\([^)\n]*\))?[^\n:]*:"
            r"|init(?:[ \t]+[-+]?\d+)?(?:[ \t]+(?:offset|python)\b[^\n:]*)?[ \t]*[:=]"
            r"|init[ \t]+(?:-?\d+[ \t]+)?python\b|python(?:[ \t]+early)?[ \t]*(?:hide[ \t]*)?:"
            r"|screen[ \t]+\w+|menu(?:[ \t]+\w+)?[ \t]*:|scene[ \t]+\w+|show[ \t]+\w+|hide[ \t]+\w+"
            r"|jump[ \t]+\w+|define[ \t]+[\w.]+[ \t]*=|default[ \t]+[\w.]+[ \t]*=|image[ \t]+\w[\w ]*[:=]"
            r"|transform[ \t]+\w+|translate[ \t]+\w+|style[ \t]+\w+|play[ \t]+(?:music|sound)|\$[ \t]"
            r"|with[ \t]+(?:fade|dissolve)|(?:\w{1,12}[ \t]+)?\"[^\"\n]+\"[ \t]*\r?$)",
            unless=r"^(?:import|from)[ \t]+\w|^(?:def|class)[ \t]+\w+[^\n]*:",
        ),
        Rule(
            "Python",
            "imports and definitions at the outermost level",
            r"^(?:import|from|def|class)[ \t]+\w|^resource[ \t]*=",
            unless=r"^(?:label[ \t]+\w+[^\n]*|init[^\n]*):[ \t]*\r?$|^screen[ \t]+\w+|^translate[ \t]+\w+",
        ),
        Rule("Ren'Py", "the usual .rpy file"),
    ),
    "sc": (
        Rule(
            "Scala",
            "def, val, imports, objects",
            r"^[ \t]*(?:(?:implicit|lazy|private|protected|override|final|sealed|case|abstract"
            r"|@\w+)[ \t]+)*(?:val[ \t]+[\w(]|def[ \t]+\w|object[ \t]+\w|class[ \t]+\w+|trait[ \t]+\w)"
            r"|^[ \t]*import[ \t]+[$\w.`{]+|^[ \t]*package[ \t]+\w|^[ \t]*//>|^[ \t]*interp\."
            r"|\bprintln[ \t]*\(",
            unless=r"\bSynthDef\b|\.(?:ar|kr)[ \t]*\(|^[ \t]*classvar\b",
        ),
        Rule("SuperCollider", "classes with a colon, UGens, argument lists", _SUPER_COLLIDER),
        Rule(
            "Scala",
            "assignments with types, arrows",
            r"=>|^[ \t]*(?:var|for|if|while)\b|^[ \t]*//[ \t]*(?:using|scala)",
        ),
        Rule("SuperCollider", "the usual .sc file"),
    ),
    "scd": (
        Rule(
            "Markdown",
            "a manual page for scdoc: its title, headings with #",
            r"\A\ufeff?[\w.+-]+\(\w+\)(?:[ \t]+\"[^\n]*)?[ \t]*\r?$|^#{1,2}[ \t]+[A-Z]",
            unless=r";[ \t]*\r?$[^#]*\bSynthDef\b",
        ),
        Rule("SuperCollider", "the usual .scd file"),
    ),
    "scm": (
        Rule(
            "Tree-sitter Query",
            "patterns with captures: (node) @name",
            r"[)\]\"_*+?][ \t]*@[a-z_][\w.-]*|^[ \t]*@[a-z_][\w.-]+[ \t]*\)*[ \t]*\r?$|\(#(?:not-)?(?:eq"
            r"|match|any-of|any-eq|lua-match|set|contains|is|has-ancestor|has-parent|offset|gsub"
            r"|make-range|vim-match|select-adjacent|strip)[!?]|^;+[ \t]*(?:inherits|extends)[ \t]*:?",
            unless=r"^[ \t]*\((?:define|use-modules|import|library|module|let\*?|lambda|display|load|require"
            r"|begin|if|set!|cond|export|use|declare)\b",
        ),
        Rule("Scheme", "no captures"),
    ),
    "sip": (
        Rule(
            "Quartus Simulation IP",
            "set_global_assignment",
            r"^[ \t]*set_(?:global|instance|location)_assignment\b|^[ \t]*(?:package[ \t]+require"
            r"|set[ \t]+\w+[ \t]+\[)",
        ),
        Rule("SIP", "classes of C++, directives with %"),
    ),
    "st": (
        Rule(
            "StringTemplate",
            "rules with ::=, groups, $attributes$ and <if()>",
            r"::=|^[ \t]*(?:group[ \t]+\w+[^\n:]*;|delimiters[ \t]+\"|import[ \t]+\")|\$(?:if|else|endif"
            r"|elseif)?[ \t]*\(?[A-Za-z][\w.]*(?:\([^)$\n]{0,80}\))?\)?(?:;[^$\n]{0,80}|:[^$\n]{1,80})?\$"
            r"|<(?:if|elseif)[ \t]*\(|<(?:else|endif)>|<\w+:\{|<[\w.]+;[ \t]*separator"
            r"|\A\ufeff?\s*<(?!primitive|category|comment)[!?A-Za-z]",
            unless=r"\b(?:subclass|methodsFor|instanceVariableNames|category):|(?<!:):=|^![ \t]*\r?$",
        ),
        Rule("Smalltalk", "messages with keywords, :=, chunks with !"),
    ),
    "tpl": (
        Rule(
            "Smarty",
            "{$variable}, {if}, {foreach}, {* *}",
            r"(?<!\{)\{(?:\$[A-Za-z_]|\*|/?(?:if|elseif|foreach|foreachelse|section|sectionelse|include"
            r"|literal|assign|block|extends|capture|strip|function|nocache|while|for|php|ldelim|rdelim"
            r"|config_load|insert|cycle|html_\w+|counter|call|append|l|lang|translate|t|eval|url|ts"
            r"|crm\w+|hook)\b[^{}\n]{0,400}\}|#\w+#\})|<\{|\{%(?=\$|[ \t]*\$)",
        ),
        Rule(
            "Go Template",
            "{{ .Field }}, {{- if }}, {{ range }}",
            r"\{\{-?[ \t]*(?:/\*|[.$(]|\"|`|(?:define|if|range|with|template|include|end|else|block|and"
            r"|or|not|eq|printf|len|toYaml|default|quote|break|continue|index|required)\b|\w+[ \t]+[.$\"]"
            r"|\w+[ \t]*(?:\||-?\}\}))",
        ),
        Rule("Smarty", "the usual .tpl file"),
    ),
    "tst": (
        Rule("GAP", "a session with gap>, START_TEST, comments with #", r"^gap>|\b(?:START|STOP)_TEST\b|^#|^>[ \t]"),
        Rule("Scilab", "comments with //, assert_, pause"),
    ),
    "vba": (
        Rule(
            "Vim script",
            "a vimball",
            r"\A\ufeff?\"[ \t]*Vimball\b|^[ \t]*UseVimball\b|^finish[ \t]*\r?$|\[\[\[1[ \t]*\r?$",
        ),
        Rule("VBA", "the usual .vba file"),
    ),
    "x": (
        Rule(
            "DirectX 3D File",
            "xof and its version",
            r"\A\ufeff?\s*xof[ \t]+\d|^[ \t]*(?:template[ \t]+\w+|Mesh|Frame|Header|Material"
            r"|AnimationSet)\b[^\n;]*\{",
        ),
        Rule(
            "Logos",
            "%hook, %orig, %ctor; Objective-C",
            r"^[ \t]*%(?:hook|ctor|dtor|group|new|subclass|init|end|property|config|hookf|class)\b"
            r"|%orig\b|%c[ \t]*\(|%init\b|^[ \t]*#[ \t]*import[ \t]|^[ \t]*@(?:interface|implementation"
            r"|protocol|class|property)\b",
        ),
        Rule(
            "RPC",
            "programs, versions, typedefs of XDR, lines passed on with %",
            r"^[ \t]*(?:program|version)[ \t]+\w+[ \t\r\n]*\{|^[ \t]*(?:typedef|struct|union"
            r"|enum)[ \t]+\w|^[ \t]*const[ \t]+\w+[ \t]*=|^%|\bswitch[ \t]*\("
            r"|^[ \t]*#[ \t]*if(?:n?def)?[ \t]+\w*RPC",
        ),
        Rule(
            "Linker Script",
            "SECTIONS, MEMORY, ENTRY, OUTPUT_FORMAT",
            r"^[ \t]*(?:SECTIONS|MEMORY|PHDRS|VERSION)\b[ \t]*(?:\{|\r?$|/\*)|^[ \t]*(?:OUTPUT_FORMAT"
            r"|OUTPUT_ARCH|ENTRY|SEARCH_DIR|INCLUDE|INPUT|GROUP|STARTUP|EXTERN|PROVIDE|ASSERT"
            r"|TARGET)[ \t]*\(|^[ \t]*\.\w*[ \t]*=|^[ \t]*\.(?:text|data|bss|rodata)\b[^\n]*:"
            r"|^[ \t]*\w+[ \t]*=[ \t]*(?:\.|0x)[^\n]*;",
        ),
        Rule("RPC", "the usual .x file"),
    ),
}

"""Extensions of one language in the table that many other files have too: `.app`, `.com`, `.url`, …

Where none of its rules holds, such a file is in no language we know: a release note is called `READ.me`, a command
file of any system `x.com`, a signature of PGP `x.sig`.
"""

from starloom.languages.ambiguous.rule import Rule

RULES = {
    "app": (Rule("Erlang", "the term {application, …}", r"^[ \t]*\{[ \t\n]*application[ \t\n]*,"),),
    "cmp": (Rule("Gerber Image", "commands that end in *, parameters in %", r"^(?:%\w[^\n]*\*%?|[GDMXY]\d[\w-]*\*)"),),
    "com": (Rule("DIGITAL Command Language", "lines that begin with $", r"^\$[ \t]*[!\w]"),),
    "me": (
        Rule("Roff", "requests and macros at the start of lines", r"^[.'](?:[a-z(]{2}|[ \t]*\\\"|[A-Z]{2})(?:[ \t]|$)"),
    ),
    "pub": (
        Rule(
            "Public Key",
            "a key of OpenSSH, PGP or X.509",
            r"^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\w+|sk-\w+@openssh\.com|-----BEGIN|---- BEGIN|untrusted comment)",
        ),
    ),
    "resource": (
        Rule("RobotFramework", "a heading like *** Keywords ***", r"^\*(?:\*\*)?[ \t]*[A-Z]\w+[ \t]*\w*[ \t]*\*"),
    ),
    "sig": (
        Rule(
            "Standard ML",
            "signature, structure, a comment in (* *)",
            r"^[ \t]*(?:signature|structure|functor|datatype|val|type|eqtype|infix)[ \t]+\w|^[ \t]*\(\*",
        ),
    ),
    "stl": (Rule("STL", "solid, facet", r"\A\s*solid\b|^[ \t]*facet[ \t]+normal\b"),),
    "tag": (Rule("Java Server Pages", "directives in <%@ %>, tags with a prefix", r"<%[@=!-]|<\w+:\w+[\s/>]|\$\{"),),
    "url": (Rule("INI", "a section", r"^[ \t]*\[[^\]\n]+\]"),),
}

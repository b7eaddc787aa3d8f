"""Extensions that several languages share: rules that tell them apart by the languages' own syntax.

One small module a group of extensions. A module's `RULES` names, for each extension (or whole file name), the rules in
the order in which they are tried.
"""

"""`heads` again in plain Python, of one text: what it means, and what the tests hold it to."""


def first_lines(text: str, lines: int, characters: int) -> str:
    return "\n".join(text[:characters].split("\n")[:lines])


def last_lines(text: str, lines: int, characters: int) -> str:
    last = text[-characters:]
    end = "\n" if last.endswith("\n") else ""
    return "\n".join(last.removesuffix("\n").split("\n")[-lines:]) + end


def first_characters(text: str, characters: int) -> str:
    return text[:characters]


def last_characters(text: str, characters: int) -> str:
    return text[-characters:]

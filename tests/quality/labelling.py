"""Labelled files made up for the tests of scorers: tidy functions, and rows of numbers."""

import json
from pathlib import Path
from typing import Any


def tidy(number: int) -> str:
    names = ("total", "width", "reader", "path", "answer", "index", "matrix", "token")
    one, two = names[number % 8], names[(number // 8 + 3) % 8]
    return f'def {one}_{number}({two}):\n    """The {one} of {two}."""\n    return {two}.{one} + {number}\n'


def rows(number: int) -> str:
    return "\n".join(f"0x{number * 7919 + k:06x}, 0x{k * k:04x}, {k}.{number}e5," for k in range(6)) + "\n"


def labelled(count: int = 120) -> list[dict[str, Any]]:
    """Half of them good."""
    return [
        {
            "content": tidy(number) if number % 2 else rows(number),
            "label": number % 2,
            "language": "Python" if number % 3 else "C",
            "repo_name": f"owner/{number // 4}",
        }
        for number in range(count)
    ]


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path

"""Small benchmarks in the forms in which real ones are published, and copies of their problems as code has them."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq

PROMPT = '''from typing import List


def nearest_pair(numbers: List[float]) -> float:
    """ Return the least distance of two numbers in the list, or infinity if it has fewer than two.
    >>> nearest_pair([1.0, 4.5, 2.75])
    1.75
    """
'''
SOLUTION = """    ordered = sorted(numbers)
    gaps = [right - left for left, right in zip(ordered, ordered[1:])]

    return min(gaps, default=float('inf'))
"""
SHORT = "    return x + y\n"
HUMANEVAL = [
    {"task_id": "HumanEval/0", "prompt": PROMPT, "canonical_solution": SOLUTION, "entry_point": "x", "test": "pass"},
    {
        "task_id": "HumanEval/1",
        "prompt": 'def added(x, y):\n    """Add the first of two numbers that are given to the second of them."""\n',
        "canonical_solution": SHORT,
        "entry_point": "added",
        "test": "pass",
    },
]
MBPP = [
    {"task_id": number, "text": f"Write a function to find the sum of the first {number} odd squares.", "code": code}
    for number, code in (
        (10, "def few_shot(n):\n  return sum(k * k for k in range(1, n, 2))"),
        (11, "def odd_squares(n):\r\n  return sum(k * k for k in range(1, n, 2))"),
        (510, "def last_one(n):\r\n  total = 0\r\n  for k in range(n):\r\n    total += k ** 2\r\n  return total"),
        (511, "def validation(n):\n  return sum(k * k for k in range(1, n, 2))"),
    )
]


def lines(path, rows):
    """JSON lines, gzipped where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def parquet(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def benchmarks(folder):
    """A folder of two."""
    lines(folder / "humaneval" / "HumanEval.jsonl.gz", HUMANEVAL)
    lines(folder / "mbpp" / "mbpp.jsonl", MBPP)
    (folder / "README.md").write_text("What is in here.\n")
    return folder

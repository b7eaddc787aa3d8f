"""Pygments' answers by name and text: python ask_pygments.py LIST, a path a line. Needs `pygments`."""

import json
import sys
import time
from pathlib import Path

import pygments
from pygments.lexers import get_all_lexers, guess_lexer, guess_lexer_for_filename
from pygments.util import ClassNotFound

paths = Path(sys.argv[1]).read_text().splitlines()


def answer(path):
    text = Path(path).read_bytes()[:50_000].decode("utf-8", "replace")
    try:
        return guess_lexer_for_filename(Path(path).name, text).name
    except ClassNotFound:
        try:
            return guess_lexer(text).name
        except ClassNotFound:
            return None


answer(paths[0])
start = time.process_time()
answers = [answer(path) for path in paths]
seconds = time.process_time() - start
known = sorted(lexer[0] for lexer in get_all_lexers())
print(json.dumps({"version": pygments.__version__, "seconds": seconds, "answers": answers, "known": known}))

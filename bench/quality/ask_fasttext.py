"""fastText's answers: python ask_fasttext.py MODULE FOLDER, where MODULE is `fasttext` or `floret` (in its own venv).

FOLDER has train.jsonl (text, label) and test.jsonl (text). Text goes in as fastText takes it: one line, words between
spaces. Prints version, CPU seconds of learning and of asking, and the probability of the label 1 for each test text.
"""

import importlib
import importlib.metadata
import json
import sys
import time
from pathlib import Path

module, folder = importlib.import_module(sys.argv[1]), Path(sys.argv[2])
DISTRIBUTION = {"fasttext": "fasttext-wheel"}.get(sys.argv[1], sys.argv[1])


def rows(name):
    with (folder / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def line(text):
    return " ".join(text.split())


with (folder / "train.txt").open("w", encoding="utf-8") as file:
    for row in rows("train.jsonl"):
        file.write(f"__label__{row['label']} {line(row['text'])}\n")

options = {"epoch": 5, "lr": 0.5, "wordNgrams": 2, "bucket": 1 << 18, "dim": 16, "minCount": 1, "thread": 1}
started = time.process_time()
model = module.train_supervised(str(folder / "train.txt"), verbose=0, **options)
learning = time.process_time() - started

texts = [row["text"] for row in rows("test.jsonl")]
started = time.process_time()
scores = []
for text in texts:
    labels, chances = model.predict(line(text), k=2)
    scores.append(float(dict(zip(labels, chances)).get("__label__1", 0.0)))
asking = time.process_time() - started
version = importlib.metadata.version(DISTRIBUTION)
print(json.dumps({"version": version, "learning": learning, "asking": asking, "scores": scores, "options": options}))

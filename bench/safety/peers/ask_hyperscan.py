"""Hyperscan as a gate: the anchors (a JSON list, third argument) as caseless expressions, every match counted."""

import json
import sys
from pathlib import Path

import asking
import hyperscan

texts = [content.encode("utf-8", "replace") for _, content in asking.files()]
anchors = json.loads(Path(sys.argv[3]).read_text())
escaped = ["".join("[0-9]" if one == "#" else f"\\x{ord(one):02x}" for one in anchor) for anchor in anchors]
database = hyperscan.Database()
flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SOM_LEFTMOST
database.compile([one.encode() for one in escaped], flags=[flags] * len(escaped))
counted = [0]


def matched(*_):
    counted[0] += 1


for text in texts[:50]:
    database.scan(text, match_event_handler=matched)
counted[0] = 0
taken = []
for _ in range(3):
    before = asking.spent()
    for text in texts:
        database.scan(text, match_event_handler=matched)
    taken.append(asking.spent() - before)
print(json.dumps({"version": hyperscan.__version__, "work": sorted(taken)[1], "matches": counted[0] // 3}))

"""SQLite's FTS5 over the same texts: python ask_sqlite.py TEXTS.parquet QUERIES.json FOLDER TOKENIZER

TOKENIZER: `trigram`, or `unicode61 tokenchars '_'`. The index has no contents (`content=''`), as ours leaves texts to
others. Queries: {kind: [[piece, …], …]}; all pieces of one must hold. Prints how it was built and the seconds of the
first ten rows, and of counting all, of each query the second time it is asked.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

texts, queries, folder, tokenizer = sys.argv[1:]
database = Path(folder) / f"{tokenizer.split()[0]}.sqlite"
database.unlink(missing_ok=True)
connection = sqlite3.connect(database)
connection.execute("PRAGMA journal_mode = OFF")
connection.execute("PRAGMA synchronous = OFF")
quoted = tokenizer.replace("'", "''")
connection.execute(f"CREATE VIRTUAL TABLE files USING fts5(text, content='', tokenize='{quoted}')")
size = rows = 0
reading = 0.0
start = time.process_time()
stream = pq.ParquetFile(texts).iter_batches(1000, columns=["content"])
while True:
    before = time.process_time()
    batch = next(stream, None)
    some = batch.column(0).to_pylist() if batch else []
    reading += time.process_time() - before
    if batch is None:
        break
    connection.executemany("INSERT INTO files (rowid, text) VALUES (?, ?)", enumerate(some, rows))
    rows += len(some)
    size += sum(len(text.encode()) for text in some)
connection.execute("INSERT INTO files (files) VALUES ('optimize')")
connection.commit()
built = time.process_time() - start - reading
told = {"version": sqlite3.sqlite_version, "MB": size / 1e6, "build MB/s": size / 1e6 / built}
told["index"] = database.stat().st_size / size

seconds: dict[str, list[list[float]]] = {}
for kind, some in json.loads(Path(queries).read_text()).items():
    for pieces in some:
        match = " AND ".join('"' + piece.replace('"', '""') + '"' for piece in pieces)
        for _ in range(2):
            start = time.perf_counter()
            connection.execute("SELECT rowid FROM files WHERE files MATCH ? LIMIT 10", (match,)).fetchall()
            first = time.perf_counter() - start
            start = time.perf_counter()
            connection.execute("SELECT count(*) FROM files WHERE files MATCH ?", (match,)).fetchall()
            last = time.perf_counter() - start
        seconds.setdefault(kind, []).append([first, last])
print(json.dumps(told | {"seconds": seconds}))

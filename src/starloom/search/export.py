"""The keyword part of the index, for those who run Quickwit or OpenSearch: an index's definition, and the files.

    index.json             what `quickwit index create` or `PUT /INDEX` takes
    files-00000.ndjson …   for `quickwit index ingest`, or `POST /_bulk`: at most 64 MB of text each
    README.md              the commands

A file's `words` are the words of our own index, folded, each once: looked up there, a word finds the same files. What
those engines do not do: symbols apart from `symbols`, regular expressions and pieces of text (both are ours to prove),
our order (sort by `rank` for what of it does not depend on the query). Cost: 10-20 MB of text a second.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

from starloom import progress
from starloom.search.identifiers import LONGEST, identifiers, parts
from starloom.search.index import SearchIndex
from starloom.search.nodes import fold
from starloom.workspace.atomic import publish

Engine = Literal["quickwit", "opensearch"]

KIND: Final = "search-export"
VERSION: Final = 1
INDEX: Final = "starloom"
_FILE_BYTES: Final = 64 << 20  # of text; OpenSearch refuses requests of more than 100 MB

_NAMES: Final = ("content_id", "repo_name", "path", "language", "license_type", "split")
_LISTS: Final = ("detected_licenses", "symbols")


def export(root: Path, engine: Engine, folder: Path) -> int:
    """Writes the workspace's index into a new folder; returns the number of files. Raises UserError: no index, or the
    folder holds something else."""
    index = SearchIndex.open(root)
    mark = {"search": index.shards.covered.made}
    with publish(
        folder, kind=KIND, version=VERSION, fingerprint=mark["search"], inputs=mark, settings={"engine": engine},
        replace=False,
    ) as draft:  # fmt: skip
        definition, action = _ENGINES[engine]
        draft.write("index.json", json.dumps(definition, indent=1).encode() + b"\n")
        draft.write("README.md", _README[engine].encode())
        total = 0
        with progress.task("export", index.files, "files") as bar:
            for number, some in enumerate(_pieces(index)):
                with draft.create(f"files-{number:05d}.ndjson") as output:
                    for document in some:
                        output.write(action(document["id"]))
                        output.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
                        total += 1
                        bar.advance(1)
        draft.facts = {"files": total}
    return total


def words(text: str) -> list[str]:
    """The words of a text, folded, each once, in order: whole identifiers and their parts.

    >>> words("readJson(read_json)")
    ['json', 'read', 'read_json', 'readjson']
    """
    whole = {one for one in identifiers(text) if len(one) < LONGEST}
    return sorted({fold(word) for one in whole for word in (one, *parts(one))})


def _pieces(index: SearchIndex) -> Iterator[Iterator[dict[str, Any]]]:
    """The documents of each file to write; each is to be gone through before the next."""
    documents = _documents(index)
    for first in documents:
        yield _some(first, documents)


def _some(first: dict[str, Any], documents: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    size = len(first["content"])
    while size < _FILE_BYTES and (following := next(documents, None)):
        yield following
        size += len(following["content"])


def _documents(index: SearchIndex) -> Iterator[dict[str, Any]]:
    for file in index.all_files():
        text = file.text.text
        document = {name: file.value(name) for name in _NAMES} | {name: file.value(name) or [] for name in _LISTS}
        rank = file.value("rank")
        document |= {"rank": rank, "stars": file.value("star_events_count") or 0}
        yield {
            "id": f"{document['content_id']}-{rank:016x}",
            **document,
            "words": " ".join(words(text)),
            "content": text,
        }


def _quickwit() -> dict[str, Any]:
    def raw(name: str, kind: str = "text") -> dict[str, Any]:
        return {"name": name, "type": kind, "tokenizer": "raw", "record": "basic", "fast": True}

    numbers = [{"name": name, "type": "u64", "fast": True} for name in ("rank", "stars")]
    return {
        "version": "0.7",
        "index_id": INDEX,
        "doc_mapping": {
            "mode": "strict",
            "field_mappings": [
                *map(raw, ("id", *_NAMES)),
                *(raw(name, "array<text>") for name in _LISTS),
                *numbers,
                {"name": "words", "type": "text", "tokenizer": "whitespace", "record": "basic", "stored": False},
                {"name": "content", "type": "text", "tokenizer": "default", "record": "position"},
            ],
            "tag_fields": ["language", "split"],
        },
        "search_settings": {"default_search_fields": ["words"]},
    }


def _opensearch() -> dict[str, Any]:
    keyword = {"type": "keyword", "ignore_above": 8191}  # characters: four bytes each at most, Lucene's limit
    properties: dict[str, Any] = dict.fromkeys(("id", *_NAMES, *_LISTS), keyword)
    properties |= {
        "rank": {"type": "unsigned_long"},
        "stars": {"type": "long"},
        "words": {"type": "text", "analyzer": "words", "index_options": "docs", "norms": False},
        "content": {"type": "text", "analyzer": "code"},
    }
    analysis = {
        "tokenizer": {"identifiers": {"type": "pattern", "pattern": "[^0-9A-Za-z_]+"}},
        "filter": {"no_data": {"type": "length", "min": 1, "max": 255}},
        "analyzer": {
            "words": {"type": "custom", "tokenizer": "whitespace", "filter": ["lowercase"]},
            "code": {"type": "custom", "tokenizer": "identifiers", "filter": ["lowercase", "no_data"]},
        },
    }
    source = {"excludes": ["words"]}
    return {
        "settings": {"analysis": analysis},
        "mappings": {"dynamic": "strict", "_source": source, "properties": properties},
    }


def _bulk(name: str) -> bytes:
    return json.dumps({"index": {"_index": INDEX, "_id": name}}).encode() + b"\n"


_ENGINES: Final[dict[Engine, tuple[dict[str, Any], Callable[[str], bytes]]]] = {
    "quickwit": (_quickwit(), lambda _: b""),
    "opensearch": (_opensearch(), _bulk),
}
_README: Final[dict[Engine, str]] = {
    "quickwit": f"""# A dataset's files for Quickwit, by `starloom index export quickwit`

    quickwit index create --index-config index.json
    for part in files-*.ndjson; do quickwit index ingest --index {INDEX} --input-path $part; done
    quickwit index search --index {INDEX} --query 'words:read_json AND language:Python' --sort-by +rank

`words` holds whole identifiers and their camel and snake parts in lower case: ask for them in lower case. `content` has
positions: phrases work there. When the dataset changes (opt-outs too), export again and make the index anew.
""",
    "opensearch": f"""# A dataset's files for OpenSearch, by `starloom index export opensearch`

    curl -X PUT localhost:9200/{INDEX} -H 'Content-Type: application/json' --data-binary @index.json
    for part in files-*.ndjson; do
        curl -X POST localhost:9200/_bulk -H 'Content-Type: application/x-ndjson' --data-binary @$part -o /dev/null
    done
    curl 'localhost:9200/{INDEX}/_search?q=words:read_json+AND+language:Python&sort=rank:asc'

`words` holds whole identifiers and their camel and snake parts. `content` has positions: phrases work there. When the
dataset changes (opt-outs too), export again and make the index anew.
""",
}

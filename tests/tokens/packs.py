"""Workspaces for tests of `pack`: a built dataset with a tokenizer, packed in a folder of its own."""

import itertools
from types import SimpleNamespace

import pyarrow.parquet as pq

from starloom.engine.verbs import EngineSettings
from starloom.tokens import pack, tokenizer_stage
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.packed import Packed
from starloom.tokens.redacted import markers
from starloom.tokens.shards import ONLY, stream_name
from starloom.tokens.templates.repository import File, document
from starloom.workspace.manifest import read_manifest
from starloom.workspace.run import build
from tokens.learning import ours

FORGED = b"# <|endoftext|> <fim_prefix> <file_sep> <EMAIL> are text here\n"
PRIVATE = ("ada" + "@" + "analytical-engines.dev").encode()


class Pack:
    """The dataset of the workspace `dataset`, with a tokenizer: `pack` it, then look at what is there."""

    def __init__(self, dataset, root, chosen=None):
        self.root, self.tokenizer = root, chosen or ours()
        self.rows = [row for row in dataset.dataset() if row["split"] == "train"]
        root.mkdir()
        (root / "dataset").symlink_to(dataset.root / "dataset")
        base = root / "base"
        base.mkdir()
        for name, data in self.tokenizer.files().items():
            (base / name).write_bytes(data)
        self.settings = SimpleNamespace(
            tokenizer=tokenizer_stage.TokenizerSettings(base="base"), mixture=(), pack=PackSettings()
        )

    def pack(self, workers=1, mixture=(), **settings):
        self.settings.pack = PackSettings(**settings)
        self.settings.mixture = tuple(MixtureSource(**one) for one in mixture)
        build(self.root, [tokenizer_stage.STAGE, pack.STAGE], self.settings, EngineSettings(workers=workers), "test")
        return self

    @property
    def folder(self):
        return self.root / "tokens"

    @property
    def packed(self):
        return Packed.open(self.folder)

    def stream(self, source=ONLY, variant=0):
        return self.packed.stream(source, variant)

    def ids(self, source=ONLY, variant=0):
        found = self.stream(source, variant)
        return found.read(0, found.tokens)

    @property
    def manifest(self):
        return read_manifest(self.folder)

    @property
    def content(self):
        return self.manifest.content

    def table(self, name, source=ONLY, variant=0):
        return pq.read_table(self.folder / stream_name(source, variant) / f"{name}.parquet").to_pylist()

    def repositories(self):
        for repo_name, rows in itertools.groupby(self.rows, key=lambda row: row["repo_name"]):
            yield repo_name, list(map(self.file, rows))

    def file(self, row):
        marked = markers(row["content"], row["redactions"], self.tokenizer.marked)
        return File(row["path"], row["content_id"], row["content"], marked, row["language"] or "")

    def expected(self, variant=0, repo_names=None):
        """The stream, piece by piece, with the slow encoder."""
        settings = self.settings.pack
        markers, end = self.tokenizer.markers, self.tokenizer.end_of_text
        for repo_name, files in self.repositories():
            if repo_names is None or repo_name in repo_names:
                for piece in document(repo_name, files, settings.seed, variant, settings.fim(), markers, end):
                    yield from [piece.special] if piece.text is None else self.tokenizer.encode(piece.text)

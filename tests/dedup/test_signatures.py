"""Signing texts, and the file that carries signatures: what it holds, what it hides, and how it fails."""

import hashlib
import io
import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starloom.dedup import MinHashSettings
from starloom.dedup.algebra.agreed_key import Key
from starloom.dedup.algebra.agreement import agreed
from starloom.dedup.algebra.signature_file import (
    Terms,
    is_signature_file,
    read_signatures,
    read_terms,
    write_signatures,
)
from starloom.dedup.algebra.signatures import sign_files
from starloom.dedup.text_files import TextFile
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.kernels import minhash
from starloom.kernels.text import text_buffers

KEY = Key.of(b"correct horse battery staple")
SETTINGS = MinHashSettings(permutations=64, bands=12)
TEXTS = [
    "",
    "a b c",
    "Grüße, Welt",
    *(" ".join(f"w{k * j % 97}" for j in range(20 + k)) for k in range(1, 40)),
    "a b c",
]


@pytest.fixture
def engine(tmp_path):
    with LocalEngine(EngineSettings(workers=1), tmp_path / "spill") as local:
        yield local


def written(path, texts, **options):
    pq.write_table(pa.table({"content": pa.array(texts, pa.string())}), path, **options)
    return TextFile(path)


def ids_of(texts):
    return pa.chunked_array([[f"src/{k}.py" for k in range(len(texts))]], pa.string())


def file_of(signed, texts, key=None, names=True, settings=SETTINGS):
    sink = io.BytesIO()
    assert write_signatures(sink, ids_of(texts), signed, Terms.of(settings, key), key, names) == len(texts)
    return sink.getvalue()


def same(one, two):
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("content", "stream", "values")) and (
        np.array_equal(one.comparable, two.comparable)
    )


def test_what_is_signed(engine, tmp_path):
    signed = sign_files(engine, [written(tmp_path / "a.parquet", TEXTS)], SETTINGS, tmp_path)
    values, tokens, stream = minhash.signatures(*text_buffers(pa.array(TEXTS)), SETTINGS.seed, 64)
    assert np.array_equal(signed.values, values)
    assert np.array_equal(signed.tokens, tokens)
    assert np.array_equal(signed.stream, stream)
    assert np.array_equal(signed.comparable, tokens >= 5)
    assert signed.length_bytes.tolist() == [len(text.encode()) for text in TEXTS]
    hashes = [hashlib.blake2b(text.encode(), digest_size=32, person=b"starloom content").digest() for text in TEXTS]
    assert [row.tobytes() for row in signed.content] == hashes
    assert not list(tmp_path.glob("values-*"))  # the scratch file has lost its name


def test_however_the_texts_lie(engine, tmp_path):
    whole = sign_files(engine, [written(tmp_path / "a.parquet", TEXTS)], SETTINGS, tmp_path)
    files = [
        written(tmp_path / "one.parquet", TEXTS[:7], row_group_size=2),
        written(tmp_path / "none.parquet", []),
        written(tmp_path / "two.parquet", TEXTS[7:], row_group_size=11),
    ]
    assert same(whole, sign_files(engine, files, SETTINGS, tmp_path))
    with LocalEngine(EngineSettings(workers=2), tmp_path / "spill2") as two:
        assert same(whole, sign_files(two, files, SETTINGS, tmp_path))


def test_contents_alone(engine, tmp_path):
    file = written(tmp_path / "a.parquet", TEXTS)
    signed = sign_files(engine, [file], None, tmp_path)
    assert np.array_equal(signed.content, sign_files(engine, [file], SETTINGS, tmp_path).content)
    assert signed.values.shape == (len(TEXTS), 0)
    assert not signed.comparable.any()


@pytest.mark.parametrize("key", [None, KEY], ids=["public", "key"])
def test_there_and_back(engine, tmp_path, key):
    signed = sign_files(engine, [written(tmp_path / "a.parquet", TEXTS)], SETTINGS, tmp_path, key)
    (tmp_path / "a.signatures").write_bytes(file_of(signed, TEXTS, key))
    ids, found, terms = read_signatures(tmp_path / "a.signatures", tmp_path)
    assert terms == Terms.of(SETTINGS, key) == read_terms(tmp_path / "a.signatures")
    assert is_signature_file(tmp_path / "a.signatures")
    order = [int(name[4:-3]) for name in ids.to_pylist()]
    assert sorted(order) == list(range(len(TEXTS)))
    assert (order == sorted(order)) == (key is None)
    assert np.array_equal(found.content, signed.content[order])
    assert np.array_equal(found.stream, signed.stream[order])
    assert np.array_equal(found.comparable, signed.comparable[order])
    some = found.comparable
    assert np.array_equal(found.values[some], signed.values[order][some])
    assert found.length_bytes is None
    assert (found.tokens is None) if key else np.array_equal(found.tokens, signed.tokens)
    again = agreed(("a", None), ("b", terms), 0.7, key=key)
    assert (again.tokenisation, again.permutations) == ("words", 64)
    assert same(signed, sign_files(engine, [TextFile(tmp_path / "a.parquet")], again, tmp_path, key))


def test_many_rows(engine, tmp_path):
    """More than a row group of the file holds, some without a signature."""
    texts = [f"{k} " * (k % 9) for k in range(23_000)]
    settings = MinHashSettings(permutations=5, bands=1)
    signed = sign_files(engine, [written(tmp_path / "a.parquet", texts)], settings, tmp_path)
    (tmp_path / "s").write_bytes(file_of(signed, texts, settings=settings))
    ids, found, _ = read_signatures(tmp_path / "s", tmp_path)
    assert ids.to_pylist() == ids_of(texts).to_pylist()
    assert np.array_equal(found.comparable, signed.comparable)
    assert np.array_equal(found.values[found.comparable], signed.values[signed.comparable])
    assert 0 < found.comparable.sum() < len(texts)


def test_other_programs_can_read_it(engine, tmp_path):
    signed = sign_files(engine, [written(tmp_path / "a.parquet", TEXTS)], SETTINGS, tmp_path)
    table = pq.read_table(pa.BufferReader(file_of(signed, TEXTS)))
    said = json.loads(table.schema.metadata[b"starloom.signatures"])
    assert said == {"format": 1, "tokenisation": "words", "permutations": 64, "seed": 49, "key_check": None}
    assert table.column_names == ["id", "content", "stream", "tokens", "signature"]
    row = table.slice(5, 1).to_pylist()[0]
    assert row["tokens"] == signed.tokens[5]
    assert np.frombuffer(row["signature"], "<u4").tolist() == signed.values[5].tolist()
    assert table.column("signature").slice(1, 1).to_pylist() == [None]  # "a b c" has no shingle


def test_a_key_leaves_nothing_to_test_against(engine, tmp_path):
    """No value of the public file, no name, no count of tokens, no order; and nothing of another key's."""
    file = written(tmp_path / "a.parquet", TEXTS)
    other = Key.of(b"another horse battery staple")
    made = {
        key: file_of(sign_files(engine, [file], SETTINGS, tmp_path, key), TEXTS, key, names=False)
        for key in (None, KEY, other)
    }
    tables = {key: pq.read_table(pa.BufferReader(data)) for key, data in made.items()}
    for one, two in [(KEY, None), (KEY, other)]:
        for name in ("id", "content", "stream"):
            assert not set(tables[one].column(name).to_pylist()) & set(tables[two].column(name).to_pylist())
        mine, theirs = (
            np.frombuffer(b"".join(filter(None, tables[k]["signature"].to_pylist())), "<u4") for k in (one, two)
        )
        assert len(np.intersect1d(mine, theirs)) < 5  # by chance
    assert tables[KEY].column("tokens").null_count == len(TEXTS)
    assert tables[KEY].column("content").to_pylist() == sorted(tables[KEY].column("content").to_pylist())
    for secret in (
        KEY.content,
        KEY.stream,
        KEY.ids,
        KEY.values,
        KEY.seed.to_bytes(8, "little"),
        str(KEY.seed).encode(),
    ):
        assert secret not in made[KEY]
    assert b"src/" not in made[KEY] + made[None]
    assert len(set(tables[KEY].column("id").to_pylist())) == len(TEXTS)


def test_the_same_bytes_again(engine, tmp_path):
    file = written(tmp_path / "a.parquet", TEXTS)
    for key in (None, KEY):
        one, two = (file_of(sign_files(engine, [file], SETTINGS, tmp_path, key), TEXTS, key) for _ in range(2))
        assert one == two


def test_terms_that_do_not_go_together():
    public = Terms.of(SETTINGS, None)
    assert public.differences(Terms.of(SETTINGS, None)) == []
    assert public.differences(Terms.of(MinHashSettings(), None)) == ["permutations 64 and 256"]
    assert public.differences(Terms.of(MinHashSettings(permutations=64, bands=12, seed=3), None)) == ["seed 49 and 3"]
    assert public.differences(Terms.of(SETTINGS, KEY)) == ["only one of them is signed with a key"]
    other = Terms.of(SETTINGS, Key.of(b"another horse battery staple"))
    assert other.differences(Terms.of(SETTINGS, KEY)) == ["another key"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    with LocalEngine(EngineSettings(workers=1), folder / "spill") as engine:
        signed = sign_files(engine, [written(folder / "a.parquet", TEXTS)], SETTINGS, folder)
    return file_of(signed, TEXTS)


def changed(data, **said):
    table = pq.read_table(pa.BufferReader(data))
    description = json.loads(table.schema.metadata[b"starloom.signatures"])
    for name, value in said.items():
        if value is ...:
            del description[name]
        else:
            description[name] = value
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"starloom.signatures": json.dumps(description)}), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"format": 2}, "of format 2; this Starloom reads format 1"),
        ({"format": ...}, "its description cannot be read"),
        ({"permutations": 65}, "its columns are not those"),
        ({"permutations": 10**9}, "out of range"),
        ({"permutations": -1}, "out of range"),
        ({"permutations": "64"}, "its description cannot be read"),
        ({"permutations": True}, "its description cannot be read"),
        ({"seed": None}, "its description cannot be read"),
        ({"seed": 1.5}, "its description cannot be read"),
        ({"seed": -1}, "out of range"),
        ({"tokenisation": "words of mine"}, "is not known"),
        ({"tokenisation": ["words"]}, "is not known"),
        ({"key_check": 5, "seed": None}, "its description cannot be read"),
    ],
    ids=str,
)
def test_a_description_that_makes_no_sense(tmp_path, sound, said, words):
    (tmp_path / "s").write_bytes(changed(sound, **said))
    with pytest.raises(UserError) as raised:
        read_signatures(tmp_path / "s", tmp_path)
    assert words in raised.value.problem
    assert str(tmp_path / "s") in raised.value.problem


@pytest.mark.parametrize("column", ["id", "content", "stream"])
def test_nulls(tmp_path, sound, column):
    table = pq.read_table(pa.BufferReader(sound))
    place = table.column_names.index(column)
    empty = pa.nulls(len(table), table.schema.field(column).type)
    pq.write_table(table.set_column(place, column, empty), tmp_path / "s")
    with pytest.raises(UserError, match="damaged file of signatures"):
        read_signatures(tmp_path / "s", tmp_path)


def test_it_is_none(tmp_path, sound):
    written(tmp_path / "plain.parquet", TEXTS)
    (tmp_path / "text").write_text("PAR1 and no more")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("plain.parquet", "text", "empty", "absent", "."):
        assert not is_signature_file(tmp_path / name), name
    with pytest.raises(UserError, match="damaged file of signatures"):
        read_signatures(tmp_path / "plain.parquet", tmp_path)


@pytest.mark.parametrize("way", ["cut", "changed"])
def test_damage_is_told(tmp_path, sound, way):
    """Cut off anywhere, or some bytes changed: an error for people, or other signatures."""
    dice = random.Random(20261128)
    told = 0
    for _ in range(150):
        spoilt = bytearray(sound)
        if way == "cut":
            del spoilt[dice.randrange(len(sound)) :]
        for _ in range(dice.randrange(1, 4) if way == "changed" else 0):
            # most of the file are signatures: the footer is where damage is interesting
            at = dice.randrange(len(sound)) if dice.random() < 0.3 else len(sound) - 1 - dice.randrange(2000)
            spoilt[at] = dice.randrange(256)
        (tmp_path / "s").write_bytes(spoilt)
        try:
            read_signatures(tmp_path / "s", tmp_path)
        except UserError as problem:
            told += str(tmp_path / "s") in problem.problem
        else:
            told += way == "changed"
        (tmp_path / "s").unlink()
    assert told == 150

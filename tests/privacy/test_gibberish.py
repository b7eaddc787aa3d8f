"""What is random is told from names."""

import random
import string
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy.gibberish import LONGEST, SYMBOLS, TABLE, WORDY, bits, symbols

NAMES = [
    "get_user_name", "ConnectionPoolManager", "MAX_BUFFER_SIZE", "node_modules/react-dom", "symfony/monolog-bundle",
    "applicationContext", "administration.users.title", "kubernetes.io/service-account", "tokenizer_config",
    "HttpServletRequest", "btnSubmitOnClick", "org.springframework.boot", "strncasecmp", "parseInt",
    "__init_subclass__", "x-forwarded-for", "primaryKeyColumn", "Elasticsearch",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_are_wordy(name):
    assert bits(name) < WORDY


@pytest.mark.parametrize("length", [12, 20, 40])
@pytest.mark.parametrize(
    "alphabet",
    [string.ascii_letters + string.digits, string.ascii_lowercase, string.ascii_letters + string.digits + "+/"],
)
def test_of_a_thousand_random_strings_next_to_none_is_wordy(alphabet, length):
    draw = random.Random(length)
    assert sum(bits("".join(draw.choices(alphabet, k=length))) <= WORDY for _ in range(1000)) <= 3


def test_the_table_holds_every_triple_and_no_more():
    assert len(zipfile.ZipFile(TABLE).read("triples")) == len(SYMBOLS) ** 3
    assert TABLE.stat().st_size < 20_000


@given(st.text(max_size=500))
def test_any_string_has_bits(value):
    assert 0 <= bits(value) <= 32
    assert bits(value) == bits(value[:LONGEST])
    assert all(0 <= code < len(SYMBOLS) for code in symbols(value))

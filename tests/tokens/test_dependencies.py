"""What is used comes before what uses it, whatever order the files come in; beside a plain definition of a circle."""

from hypothesis import given
from hypothesis import strategies as st

from starloom.tokens.dependencies import order


def paths(files):
    return [list(files)[number] for number in order(list(files.items()))]


def test_what_is_used_comes_first():
    files = {
        "README.md": "import b\n",
        "a.py": "import c\nimport lib.d\n",
        "c.py": "from lib import d\n",
        "lib/__init__.py": "",
        "lib/d.py": "",
        "main.py": "import a\n",
    }
    assert paths(files) == ["README.md", "lib/d.py", "c.py", "a.py", "lib/__init__.py", "main.py"]


def test_without_imports_paths_decide():
    assert paths({"b": "", "a": "", "c/a": "", "B": ""}) == ["B", "a", "b", "c/a"]


def test_a_circle_is_entered_at_its_first_path():
    assert paths({"c.py": "import a", "a.py": "import b", "b.py": "import c"}) == ["c.py", "b.py", "a.py"]
    assert paths({"x.py": "import x", "y.py": "import x"}) == ["x.py", "y.py"]


def test_packages_come_whole():
    files = {
        "go.mod": "module m",
        "a.go": 'import "m/z"',
        "z/one.go": "",
        "z/two.go": 'import "m/y"',
        "y/y.go": "",
    }
    assert paths(files) == ["z/one.go", "y/y.go", "z/two.go", "a.go", "go.mod"]


def test_deep_chains():
    count = 5000
    files = {f"m{n:05}.py": f"import m{n + 1:05}\n" for n in range(count)}
    assert paths(files) == sorted(files, reverse=True)


def test_nothing():
    assert order([]) == []
    assert order([("a.py", ""), ("a.py", "import a")]) == [0, 1]


@given(
    st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.tuples(*[st.integers(0, n - 1)] * 2)))),
    st.randoms(),
)
def test_every_import_is_obeyed_that_is_on_no_circle(graph, random):
    count, edges = graph
    files = [(f"m{n}.py", "".join(f"import m{b}\n" for a, b in sorted(edges) if a == n)) for n in range(count)]
    random.shuffle(files)
    found = [files[number][0] for number in order(files)]
    assert sorted(found) == [f"m{n}.py" for n in range(count)]
    assert found == [sorted(files)[number][0] for number in order(sorted(files))]
    place = {int(path[1:-3]): at for at, path in enumerate(found)}
    reached = {n: {n} for n in range(count)}
    for _ in range(count):
        for a, b in edges:
            reached[a] |= reached[b]
    for a, b in edges:
        if a not in reached[b]:
            assert place[b] < place[a]

"""What paths tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.languages.vendored import PathFacts, is_documentation, is_test, is_vendor, path_facts


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("vendor/a.go", True),
        ("src/Vendor/a.php", True),  # any case
        ("third_party/zlib/inflate.c", True),
        ("3rdparty/a.h", True),
        ("node_modules/react/index.js", True),
        ("src/pip/_vendor/rich/text.py", True),
        ("setuptools/extern/a.py", True),
        ("externals/a.c", True),
        ("bower_components/a.css", True),
        ("Pods/AFNetworking/a.m", True),
        (".yarn/releases/yarn-4.0.0.cjs", True),
        ("js/jquery.js", True),
        ("js/jquery-3.7.1.min.js", True),
        ("js/jquery.validate.js", True),  # a plugin
        ("css/bootstrap.min.css", True),
        ("css/bootstrap-5.3.0.css", True),
        ("js/d3.v7.min.js", True),
        ("js/chart.min.js", True),
        ("js/chart-2.9.4.js", True),
        ("js/chart.js", False),  # anybody's own
        ("css/normalize.css", True),
        ("gradlew", True),
        ("mvnw.cmd", True),
        ("test/catch.hpp", True),
        ("src/sqlite3.c", True),
        ("config.guess", True),
        ("m4/ax_pthread.m4", True),
        ("build-aux/texinfo.tex", True),
        ("tools/ylwrap", True),
        ("wp-includes/post.php", True),
        ("admin/tinymce/plugin.js", True),
        ("deps/cJSON.c", True),
        ("tools/json.hpp", True),
        ("tests/unity/miniz.c", True),
        ("cJSON.c", False),  # its own project
        ("single_include/nlohmann/json.hpp", False),
        ("src/uthash.h", False),
        ("bin/compile", False),
        ("m4/axis.m4", False),
        ("thesis.tex", False),
        ("vendor", False),  # a file
        ("vendor.py", False),
        ("vendored_code/a.py", False),  # only whole names
        ("src/reactor.js", False),
        ("src/react/index.js", False),  # a folder's name is not a file's
        ("src/jqueryish.js", False),
        ("src/d3.py", False),
        ("src/missing.py", False),
        ("a.py", False),
        ("", False),
    ],
)
def test_vendor(path, answer):
    assert is_vendor(path) is answer


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("docs/index.md", True),
        ("docs/conf.py", True),  # code of the documentation
        ("Documentation/mm/slub.rst", True),
        ("README", True),
        ("README.md", True),
        ("readme.txt", True),
        ("README.zh-CN.md", True),
        ("README.ja", True),
        ("LICENSE", True),
        ("LICENSE-MIT", True),
        ("LICENSE-APACHE-2.0", True),
        ("COPYING.LESSER", True),
        ("CHANGELOG.rst", True),
        ("CONTRIBUTING.md", True),
        ("SECURITY.md", True),
        ("AUTHORS", True),
        ("INSTALL", True),
        ("man1/tool.1", True),
        ("wiki/Home.md", True),
        ("BUGS", True),
        ("CITATION.md", True),
        ("bugs.py", False),
        ("manual.py", False),
        ("security.py", False),
        ("install.sh", False),
        ("install", False),  # a script
        ("readme.php", False),
        ("changes.py", False),
        ("readmes.md", False),
        ("src/Notice.tsx", False),  # a component
        ("license.json", False),
        ("document/a.py", False),
        ("docs", False),
        ("examples/a.py", False),  # code
        ("src/a.py", False),
        ("", False),
    ],
)
def test_documentation(path, answer):
    assert is_documentation(path) is answer


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("tests/a.py", True),
        ("src/test/java/A.java", True),
        ("Tests/A.swift", True),
        ("a/__tests__/b.js", True),
        ("a/testdata/b.txt", True),
        ("pkg/test_a.py", True),
        ("pkg/a_test.py", True),
        ("pkg/conftest.py", True),
        ("pkg/a_test.go", True),
        ("src/a.spec.ts", True),
        ("src/a.test.jsx", True),
        ("spec/a_spec.rb", True),
        ("src/UserTest.java", True),
        ("src/UserTests.cs", True),
        ("src/UserSpec.scala", True),
        ("src/Test.java", True),
        ("a/b_SUITE.erl", True),
        ("src/TestUser.java", True),
        ("spec/user.rb", True),
        ("app/spec/user.ts", True),
        ("spec/language.md", False),  # a specification
        ("t/basic.t", True),
        ("t/lib/Mock.pm", True),
        ("t/data.json", False),
        ("t.pm", False),
        ("shared/commonTest/a.kt", True),
        ("features/login.feature", True),
        ("a/run.bats", True),
        ("tests_user.py", True),
        ("R/test-user.R", True),
        ("src/a_test.zig", True),
        ("src/latest.rs", False),
        ("src/Latest.java", False),  # "test" is no word of it
        ("src/latest.java", False),
        ("src/contest.py", False),
        ("src/testing.py", False),
        ("numpy/testing/utils.py", False),  # tools for tests, published as a library
        ("src/Testable.java", False),
        ("src/protest_a.py", False),
        ("test", False),
        ("", False),
    ],
)
def test_test(path, answer):
    assert is_test(path) is answer


_paths = st.text() | st.lists(
    st.sampled_from(["vendor", "docs", "tests", "src", "Test.java", "README", "a.py", "jquery.js", "..", "", "\n"])
).map("/".join)


@given(_paths)
def test_facts_agree(path):
    assert path_facts(path) == PathFacts(is_vendor(path), is_documentation(path), is_test(path))

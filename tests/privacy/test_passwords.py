"""Passwords: where one is assigned, in addresses, connection strings and .netrc, and hashes of them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy.find import find_in
from starloom.privacy.passwords import is_password

SECRET = "Tr0ub" + "4dor&3"


def once(text: str) -> tuple[str, str]:
    found = find_in(text)
    assert len(found) == 1, "not exactly one finding"
    return text[found[0].start : found[0].end], found[0].kind


FORMS = [
    'password = "{}"', "PASSWORD='{}'", "'password' => '{}',", '"password": "{}"', '"db_password" : "{}",',
    "dbPassword = `{}`;", 'passwd: str = "{}"', "pwd := '{}'", 'String pass = "{}";', 'const char *db_pass = "{}";',
    "define('DB_PASSWORD', '{}');", 'user.setPassword("{}")', 'config["password"] = "{}"', "$dbPass = '{}';",
    '<password>{}</password>', '#define WIFI_PASSWORD "{}"', '<property name="password" value="{}"/>',
    '<entry key="db.password">{}</entry>', 'if password == "{}":', "password = r'{}'", '\\"password\\": \\"{}\\"',
    'NSString *password = @"{}";', 'DB_PASSWORD: "{}"', "mysql_pw = '{}'", "spring.datasource.password='{}'",
    'new Login(user: "ada", password: "{}")', "IDENTIFIED_PASSWORD='{}'", 'senha = "{}"',
    'os.environ["DB_PASS"] = "{}"\r\n', 'std::string password{{"{}"}};', "const pw = env.DB_PASSWORD || '{}';",
    'let password = String::from("{}");', 'password = new String("{}")', 'password: SecretStr = SecretStr("{}")',
    'password := []byte("{}")', 'password = os.environ.get("X") or "{}"', 'const password = cfg.pw || "{}";',
    'let password: Option<&str> = Some("{}");', 'password = """{}"""', "password: !!str '{}'", 'char *pw = "{}";',
    '(setq password "{}")', '{{:password "{}"}}', 'password "{}"', '["--password", "{}"]', "prod_pass_v2 = '{}'",
    "ALTER ROLE x WITH PASSWORD '{}';", "CREATE USER x IDENTIFIED BY '{}';", "| password | `{}` |",
    '<input name="password" type="password" value="{}">', "- **password**: `{}`", "Set db_password to `{}`",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_a_password_is_found_in_whatever_form_it_is_assigned(form):
    value, kind = once(form.format(SECRET))
    assert (value == SECRET, kind) == (True, "PASSWORD")


BARE = [
    "DB_PASSWORD={}", "export DB_PASSWORD={}\n", "password: {}\n", "  - DB_PASSWORD={}\r\n", "db.password={}",
    "ENV ROOT_PASSWORD={}", "Server=db;User Id=sa;Password={};Encrypt=true", '"Server=db;User Id=sa;Pwd={}"',
    "- name: DB_PASSWORD\n  value: {}\n", "password: !!str {}\n", "- **password**: {}\n", "- **password:** {}\n",
    "| password | {} |", "Set db_password to {}.", "The password is {} for now", "ENV DB_PASSWORD {}\n",
    "deploy --password {} x", '"deploy --password={}"', "DB_PASSWORD={} ./run.sh", "docker run -e DB_PASSWORD={} img",
    "https://acme.dev/x?pwd={}&b=1", '@Value("${{db.password:{}}}")', "x=${{DB_PASSWORD:-{}}}",
    "# password: {} (old)",
]  # fmt: skip


@pytest.mark.parametrize("form", BARE, ids=range(len(BARE)))
def test_without_quotes_it_is_found_where_no_code_can_stand(form):
    secret = "xK9#" + "vQ2mZt7"
    value, kind = once(form.format(secret))
    assert (value == secret, kind) == (True, "PASSWORD")


NONE = [
    "'KEYPASSWD', 'KRB4LEVEL',",
    'password = password.encode("utf-8")',
    "what you pass to `eval_quoted/3` is", "variables to pass to DLASQ3.", '["Sk", "pw", "7Mi", "4hk"]',
    "x=${ZFTP_PWD:s!$1!$2!}",
    "| password | string | required |", "The password is required2", "password = hash2 + salt",
    "f(password=secret1, x=2)", "password = digest1(x)",
    'password = ""', "password = None", "password = getpass()", "password = user.password", "password: string;",
    "password = args[1]", 'password = os.environ["DB_PASS1"]', 'password = "${DB_PASSWORD}"',
    'password = "$DB_PASSWORD"', "password: {{ db_password1 }}", 'password = "%s"', 'password = "<password>"',
    'password = "your-password"', 'password = "********"', 'password = "changeme"', 'type="password"',
    "<label for='password1'>Password1</label>", 'password: "Enter your password"', "'password' => 'required|min:8'",
    'password_field = "#password1"', 'PASSWORD_FILE = "/run/secrets/db1"', 'password_hashing = "argon2i"',
    "PASSWORD_MIN_LENGTH = '8abc'", 'ok ? "pass" : "f4il3d-it"', 'print("pass", "f4iled")',
    "passwords = ['user1name', 'user2name']", "cat /etc/passwd='x86_64'", 'password: "Contraseña1"',
    '"password": "Passwort2"', "bypass = 'a1b2c3d4'", 'compass = "n0rth-w3st"', "PWD=/opt/x1/y2", "pass: x86_64",
    'password = "test"', 'password = "secret"', 'password = "admin"', "password = new_password_2",
    "password=password1, user=user1", '"$password" = "x9k2m4"', "passengers = '12b'",
    'forgot_password_url = "reset1.php"',
]  # fmt: skip


@pytest.mark.parametrize("text", NONE, ids=range(len(NONE)))
def test_what_is_no_password_stays(text):
    assert find_in(text) == []


# BigCode's skip rule (bigcode-dataset, pii/): values of up to three characters
@pytest.mark.parametrize(
    ("value", "found"),
    [("x9k", False), ("x9k!", True), ("swordfish", False), ("314159", True)],
    ids=["3 characters", "4 characters", "a word", "figures"],
)
def test_skips_of_bigcode(value, found):
    assert [one.kind for one in find_in(f'password = "{value}"')] == ["PASSWORD"] * found


ADDRESSES = [
    "postgres://app:{}@db.nowhere.dev:5432/app", "mongodb+srv://root:{}@cluster0.x1.mongodb.net/a",
    "redis://:{}@10.0.0.3:6379/0", "https://ada:{}@github.com/a/b.git", 'url = "amqp://app:{}@mq/%2f"',
    "jdbc:mysql://app:{}@h/db", "ftp://app:{}@[2a00::1]/",
]  # fmt: skip


@pytest.mark.parametrize("form", ADDRESSES, ids=range(len(ADDRESSES)))
def test_of_an_address_the_password_is_found(form):
    secret = "kT9" + "wq-zX"
    assert once(form.format(secret)) == (secret, "PASSWORD")


@pytest.mark.parametrize(
    "text",
    [
        "http://user:password@host/", "http://user:pass@host/", "postgres://app:${DB_PASS}@db/app", "http://app:%s@host/",
        "https://nowhere.dev:8080/@ada", "http://{user}:{password}@host/", "http://nowhere.dev/a:b@c", "ssh://git@nowhere.dev/x",
        "http://user:<password>@host", "http://u:***@host/", "see http://a.b: c@d",
    ],
    ids=range(11),
)  # fmt: skip
def test_an_address_without_a_password_stays(text):
    assert not [one for one in find_in(text) if one.kind in ("PASSWORD", "KEY")]


HASHES = [
    "$2b" + "$12$" + "N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
    "$6$" + "rounds=5000$saltsalt$" + "aB3./xYz91" * 8 + "Qw3rty",
    "$apr1" + "$qHDFfhPC$" + "nITSVHgYbDAK1Y0acGRnY1",
    "$argon2id" + "$v=19$m=65536,t=3,p=4$" + "c29tZXNhbHQxMjM$" + "RdescudvJCsgt3ub+b9dWRWJTmaaJObG",
    "pbkdf2_sha256" + "$260000$Vo0VlMnkR4Bk$qEvtdyZRWTcOsCnI/oQ7fVOu1XAURIZYoOZ3iy8Dr4M=",
    "{SSHA}" + "DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
]


@pytest.mark.parametrize("value", HASHES, ids=range(len(HASHES)))
def test_a_hash_of_a_password_is_found(value):
    assert once(f"ada:{value}\n") == (value, "PASSWORD")


def test_netrc_and_basic_credentials():
    assert once("machine nowhere.dev login ada password " + SECRET + "\n") == (SECRET, "PASSWORD")
    assert once("machine nowhere.dev\n  login ada\n  password " + SECRET + "\n") == (SECRET, "PASSWORD")
    assert once("Authorization: Basic " + "YWRhOlRyMHViNGRvciYz") == ("YWRhOlRyMHViNGRvciYz", "PASSWORD")


@given(st.text(alphabet=string.ascii_letters + string.digits + "!#%*+-_@.", min_size=8, max_size=30))
def test_what_is_taken_for_a_password_is_found_as_it_is(value):
    found = find_in(f'password = "{value}"')
    if is_password(value, True) and "@" not in value:
        assert [(one.start, one.end) for one in found if one.kind in ("PASSWORD", "KEY")] == [(12, 12 + len(value))]
    else:
        assert not [one for one in found if one.detector == "assigned-password"] or "@" in value

"""A third set of places and names, written after what detectors missed of `unseen_places` had been mended and they were
frozen; nothing was mended for what they miss of it. Whoever wrote it had mended them: new to them, not to its writer.
"""

import random
import re

from safety.made_secrets import Kind

LINES = {  # as in places.py
    "script": (
        'settings.update({"⟨n⟩": "⟨v⟩"})',
        "self.⟨n⟩ = '⟨v⟩'",
        'parser.add_argument("--⟨n⟩", default="⟨v⟩")',
        'options[:⟨n⟩] = "⟨v⟩"',
        '⟨n⟩ = str("⟨v⟩").strip()',
        'monkeypatch.setenv("⟨n⟩", "⟨v⟩")',
        'print("⟨n⟩=⟨v⟩")',
    ),
    "javascript": (
        'export const ⟨n⟩ = "⟨v⟩" as const;',
        "axios.post(url, { ⟨n⟩: `⟨v⟩` });",
        'window.__CONFIG__ = {"⟨n⟩":"⟨v⟩"};',
        "this.⟨n⟩ = this.⟨n⟩ ?? '⟨v⟩';",
        'localStorage.setItem("⟨n⟩", "⟨v⟩");',
        "// old ⟨n⟩ was '⟨v⟩'",
    ),
    "java": (
        'protected final String ⟨n⟩ = new String("⟨v⟩");',
        'props.setProperty("⟨n⟩", "⟨v⟩");',
        'public string ⟨n⟩ { get; set; } = "⟨v⟩";',
        'System.setProperty("⟨n⟩", "⟨v⟩");',
        'request.addHeader("⟨h⟩", "⟨v⟩");',
        'static let ⟨n⟩ = "⟨v⟩"',
        " * ⟨n⟩ = ⟨v⟩",
    ),
    "c": (
        'strcpy(cfg.⟨n⟩, "⟨v⟩");',
        '.⟨n⟩ = "⟨v⟩",',
        'constexpr auto ⟨n⟩ = "⟨v⟩";',
        'NSString * const ⟨n⟩ = @"⟨v⟩";',
        'static const char ⟨n⟩[64] = "⟨v⟩";',
        'QString ⟨n⟩ = QStringLiteral("⟨v⟩");',
    ),
    "go": (
        '⟨n⟩ = []byte("⟨v⟩")',
        't.Setenv("⟨n⟩", "⟨v⟩")',
        'flag.String("⟨n⟩", "⟨v⟩", "as the server has it")',
        'opts := Options{⟨n⟩: "⟨v⟩"}',
        'm["⟨n⟩"] = "⟨v⟩"',
    ),
    "rust": (
        'pub static ⟨n⟩: &str = "⟨v⟩";',
        'map.insert("⟨n⟩", "⟨v⟩");',
        'let ⟨n⟩ = SecretString::new("⟨v⟩".into());',
        'std::env::set_var("⟨n⟩", "⟨v⟩");',
        '⟨n⟩: Some("⟨v⟩".into()),',
    ),
    "php": (
        "const ⟨n⟩ = '⟨v⟩';",
        '$this->⟨n⟩ = "⟨v⟩";',
        "$_ENV['⟨n⟩'] = '⟨v⟩';",
        "['⟨n⟩'=>'⟨v⟩']",
        "$client->setHeader('⟨h⟩', '⟨v⟩');",
        "public string $⟨n⟩ = '⟨v⟩';",
    ),
    "shell": (
        'declare -x ⟨n⟩="⟨v⟩"',
        "echo '⟨n⟩=⟨v⟩' >> .env",
        "kubectl create secret generic app --from-literal=⟨n⟩=⟨v⟩",
        ': "${⟨n⟩:=⟨v⟩}"',
        "helm upgrade app . --set ⟨n⟩=⟨v⟩",
        'curl -d \'{"⟨n⟩": "⟨v⟩"}\' "$URL"',
        "ENV ⟨n⟩ ⟨v⟩",
    ),
    "yaml": (
        'env: {⟨n⟩: "⟨v⟩"}',
        "- ⟨n⟩: ⟨v⟩",
        "⟨n⟩:   '⟨v⟩'   # till spring",
        "run: ⟨n⟩=⟨v⟩ make deploy",
        '{ name: ⟨n⟩, value: "⟨v⟩" }',
        "⟨n⟩: >-\n  ⟨v⟩",
    ),
    "json": (
        '"⟨n⟩" : "⟨v⟩",',
        '"env": ["⟨n⟩=⟨v⟩"],',
        '"var": {"name": "⟨n⟩", "value": "⟨v⟩"},',
        '"run": "⟨n⟩=⟨v⟩ npm start",',
        '"login": {"type": "user", "⟨n⟩": "⟨v⟩"},',
    ),
    "ini": (
        "⟨n⟩ := ⟨v⟩",
        "⟨n⟩=⟨v⟩ ; till spring",
        "service.⟨n⟩ = ⟨v⟩",
        'environment = { ⟨n⟩ = "⟨v⟩" }',
        "; ⟨n⟩=⟨v⟩",
    ),
    "xml": (
        '<⟨n⟩ encrypted="false">⟨v⟩</⟨n⟩>',
        '<setting name="⟨n⟩" serializeAs="String"><value>⟨v⟩</value></setting>',
        "<bean p:⟨n⟩='⟨v⟩'/>",
        '<meta name="⟨n⟩" content="⟨v⟩">',
        '<option value="⟨v⟩" name="⟨n⟩"/>',
        "<script>var ⟨n⟩ = '⟨v⟩';</script>",
    ),
    "prose": (
        "Log in with ⟨n⟩ ⟨v⟩.",
        "* ⟨n⟩: `⟨v⟩`",
        "``⟨n⟩`` is ``⟨v⟩``",
        ":⟨n⟩: ⟨v⟩",
        "    $ export ⟨n⟩='⟨v⟩'",
        "Your ⟨n⟩ is ⟨v⟩",
    ),
    "sql": (
        "SET ⟨n⟩ = '⟨v⟩';",
        "WHERE ⟨n⟩='⟨v⟩'",
        "CREATE SECRET s (TYPE http, ⟨n⟩ '⟨v⟩');",
        "/* ⟨n⟩: ⟨v⟩ */",
    ),
}
_NAMES = {
    "password": ("admin_password", "rootPasswd", "PGPASSWORD", "smtp_pass", "userPwd", "keystore-password", "ftp_pw"),
    "generic-alphanumeric": ("SESSION_SECRET", "deployToken", "apikey", "hmac_secret", "webhook_secret"),
    "generic-base64": ("cookieSecret", "MASTER_KEY", "signing_key", "data_encryption_key", "app_secret"),
    "generic-hex": ("csrf_secret", "appSecret", "AUTH_SECRET", "internal_api_key", "client_secret"),
    "ipv4": ("gateway", "peer_addr", "MASTER_HOST", "nodeIp"),
    "ipv6": ("gateway6", "peer_addr", "LISTEN_HOST"),
    "email": ("mail_from", "adminEmail", "support", "REPLY_TO"),
    "twilio-auth-token": ("TWILIO_TOKEN", "twilio_auth"),
    "datadog-api": ("DATADOG_API_KEY", "ddApiKey"),
    "datadog-app": ("DATADOG_APP_KEY", "datadogAppKey"),
    "heroku": ("HEROKU_TOKEN", "herokuApiKey"),
    "cloudflare": ("CLOUDFLARE_TOKEN", "cloudflareApiToken"),
    "linkedin": ("LINKEDIN_SECRET", "linkedinClientSecret"),
    "algolia-admin": ("ALGOLIA_ADMIN_API_KEY", "algoliaAdminKey"),
    "okta": ("OKTA_CLIENT_TOKEN", "oktaApiToken"),
    "aws-secret-access-key": ("AWS_SECRET_ACCESS_KEY", "awsSecretKey", "s3_secret_access_key"),
    "discord-bot": ("BOT_TOKEN", "discordBotToken"),
}


def renamed(name: str, kind: Kind, rng: random.Random) -> str:
    """A name of its own, or with something before or behind it."""
    if kind.name in _NAMES:
        return rng.choice(_NAMES[kind.name])
    if re.search(r"[^\w-]", name):
        return name
    return rng.choice([name.upper().replace("-", "_"), f"staging_{name}", f"{name}_prod", name.replace("_", "-"), name])

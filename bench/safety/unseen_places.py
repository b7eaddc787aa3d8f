"""Other places and other names, of which no detector had been told when they were first used. What was missed there was
looked at afterwards, and its causes mended: see third_places.py."""

import random
import re

from safety.made_secrets import Kind

LINES = {  # as in places.py
    "script": (
        "my_config['⟨n⟩'] = '⟨v⟩'",
        "def connect(⟨n⟩='⟨v⟩', retries=3):",
        ':⟨n⟩ => "⟨v⟩",',
        'os.getenv("⟨n⟩", "⟨v⟩")',
        "    assert ⟨n⟩ == '⟨v⟩'",
    ),
    "javascript": (
        "fetch(url, { ⟨n⟩: '⟨v⟩' })",
        "let ⟨n⟩ = `⟨v⟩`",
        'setState({ ⟨n⟩: "⟨v⟩" });',
        "config.⟨n⟩='⟨v⟩'",
        "const ⟨n⟩ = env.⟨n⟩ || '⟨v⟩';",
    ),
    "java": (
        'var ⟨n⟩ = "⟨v⟩";',
        'val ⟨n⟩: String = "⟨v⟩"',
        '@Value("${⟨n⟩:⟨v⟩}")',
        'builder.⟨n⟩("⟨v⟩").build();',
        'map.put("⟨n⟩","⟨v⟩");',
    ),
    "c": (
        'std::string ⟨n⟩{"⟨v⟩"};',
        'const std::string ⟨n⟩ = "⟨v⟩";',
        'char ⟨n⟩[] = "⟨v⟩";',
        '{ "⟨n⟩", "⟨v⟩" },',
        "// ⟨n⟩ = ⟨v⟩",
    ),
    "go": (
        '⟨n⟩: "⟨v⟩",',
        'var ⟨n⟩ string = "⟨v⟩"',
        'cfg.Set("⟨n⟩", "⟨v⟩")',
        '"⟨n⟩": "⟨v⟩",',
        "⟨n⟩ = `⟨v⟩`",
    ),
    "rust": (
        '⟨n⟩: "⟨v⟩".to_string(),',
        'let mut ⟨n⟩ = String::from("⟨v⟩");',
        '.header("⟨h⟩", "⟨v⟩")',
        '.⟨n⟩("⟨v⟩")',
    ),
    "php": (
        '$config["⟨n⟩"] = "⟨v⟩";',
        "'⟨n⟩' => env('⟨n⟩', '⟨v⟩'),",
        "private $⟨n⟩ = '⟨v⟩';",
        "->with('⟨n⟩', '⟨v⟩')",
    ),
    "shell": (
        "docker run -e ⟨n⟩=⟨v⟩ app:latest",
        "deploy --⟨n⟩ ⟨v⟩",
        "deploy --⟨n⟩=⟨v⟩",
        'curl "https://api.acmecorp.io/v1?⟨n⟩=⟨v⟩&page=2"',
        "⟨n⟩=⟨v⟩ ./run.sh",
    ),
    "yaml": (
        "config: { ⟨n⟩: '⟨v⟩' }",
        "⟨n⟩: !!str ⟨v⟩",
        "- name: ⟨n⟩\n  value: ⟨v⟩",
        'args: ["--⟨n⟩=⟨v⟩"]',
    ),
    "json": (
        '"settings": {"⟨n⟩":"⟨v⟩"},',
        '"command": "deploy --⟨n⟩=⟨v⟩",',
        '"body": "{\\"⟨n⟩\\": \\"⟨v⟩\\"}",',
    ),
    "ini": (
        "⟨n⟩: ⟨v⟩",
        "  ⟨n⟩  =  ⟨v⟩",
        "app.⟨n⟩=⟨v⟩",
        "⟨n⟩='⟨v⟩'",
    ),
    "xml": (
        '<property name="⟨n⟩">⟨v⟩</property>',
        '<entry key="⟨n⟩">⟨v⟩</entry>',
        '<param ⟨n⟩="⟨v⟩"/>',
        '<div data-⟨n⟩="⟨v⟩"></div>',
    ),
    "prose": (
        "| ⟨n⟩ | `⟨v⟩` |",
        "Set ⟨n⟩ to ⟨v⟩ and restart.",
        "- **⟨n⟩**: ⟨v⟩",
        "$ deploy --⟨n⟩ ⟨v⟩",
    ),
    "sql": (
        "UPDATE settings SET ⟨n⟩ = '⟨v⟩' WHERE id = 1;",
        "ALTER ROLE app WITH ⟨n⟩ '⟨v⟩';",
        "('⟨n⟩','⟨v⟩'),",
    ),
}


def renamed(name: str, _kind: Kind, rng: random.Random) -> str:
    """Another name for the same: camel case, or with something before or behind it."""
    words = re.findall(r"[A-Za-z]+|[0-9]+", name)
    if not words or re.search(r"[^\w.-]", name):
        return name
    camel = words[0].lower() + "".join(word.title() for word in words[1:])
    return rng.choice([camel, f"prod_{name}", f"{name}_v2", "my" + camel[0].upper() + camel[1:], name])

"""What a rule may ask of a file: every column with its meaning, and the SQL that gives it.

A signal's columns become known to rules by a line here. Phases are those of `decide`: what is known of every copy by
its path; with its licence; by its content.
"""

from typing import Literal, NamedTuple

Phase = Literal["path", "license", "content"]
Kind = Literal["text", "number", "truth value", "unknown"]  # unknown: NULL, which fits anything


class Column(NamedTuple):
    """`sql`: over f (the listed file), r (its repository), c (what `read` says), v (its licence verdict) and the tables
    `needs`: signals by their names, and `kinds` of languages."""

    phase: Phase
    kind: Kind
    meaning: str
    sql: str
    needs: tuple[str, ...] = ()


def _of(source: str, phase: Phase, kind: Kind, meanings: dict[str, str]) -> dict[str, Column]:
    needs = (source,) if len(source) > 1 else ()
    return {name: Column(phase, kind, meaning, f"{source}.{name}", needs) for name, meaning in meanings.items()}


# A dot at the beginning of a name starts no extension, as in Python's os.path.splitext.
_STEM = "lower(regexp_extract(f.file_name, '^([.]*.*?)([.][^.]*)?$', 1))"
_GENERATED = (
    "CASE WHEN c.content_id IS NOT NULL THEN coalesce("
    "f.generated_name, generated.generated_marker, generated_content.generated_content) IS NOT NULL END"
)

COLUMNS: dict[str, Column] = {
    **_of("r", "path", "text", {"repo_name": "the repository", "rights": "`public` or `owned`"}),
    **_of(
        "f",
        "path",
        "text",
        {
            "path": "within the repository",
            "file_name": "the last part of the path",
            "extension": "of the file name: lower case, without the dot",
        },
    ),
    "stem": Column("path", "text", "the file name without its extension, in lower case", _STEM),
    **_of("f", "path", "number", {"length_bytes": "size as stored in the repository"}),
    **_of(
        "f",
        "path",
        "truth value",
        {
            "is_vendor": "copied in from elsewhere, by its path",
            "is_documentation": "documentation, by its path",
            "is_test": "a test or test data, by its path",
        },
    ),
    **_of(
        "r",
        "path",
        "number",
        {"star_events_count": "stars of the repository", "fork_events_count": "forks of the repository"},
    ),
    **_of(
        "v",
        "license",
        "text",
        {
            "license_type": "`permissive`, `no_license` or `non_permissive`",
            "license_evidence": "what told the licence: `notice`, `origin`, `stated`, `path`, `declared`, `conflict`, "
            "`none`",
        },
    ),
    **_of("language", "content", "text", {"language": "by Linguist's name"}),
    "language_extension": Column(
        "content",
        "text",
        "`LANGUAGE:EXTENSION`, e.g. `C++:h`",
        "language.language || ':' || f.extension",
        ("language",),
    ),
    "language_kind": Column(
        "content",
        "text",
        "`programming`, `markup`, `data` or `prose`, as Linguist has it",
        "kinds.language_kind",
        ("language", "kinds"),
    ),
    **_of("c", "content", "text", {"src_encoding": "the encoding it was stored in, e.g. `UTF-8`"}),
    **_of(
        "lines",
        "content",
        "number",
        {
            "num_lines": "lines",
            "max_line_length": "characters of the longest line",
            "avg_line_length": "characters of a line, on average",
            "characters": "characters",
            "alpha_fraction": "share of characters that are letters",
            "alphanum_fraction": "share of characters that are letters or digits",
        },
    ),
    "is_generated": Column(
        "content",
        "truth value",
        "written by a program, by its name, form, header or the paper's markers",
        _GENERATED,
        ("generated", "generated_content"),
    ),
}

"""What a rule may ask of a file: every column with its meaning, and the SQL that gives it.

A signal's columns become known to rules by a line here.
"""

from typing import Literal, NamedTuple

Kind = Literal["text", "number", "truth value", "unknown"]  # unknown: NULL, which fits anything


class Column(NamedTuple):
    """`sql`: over f (the listed file; beside it `c`, what `read` says of its content, and signals by their names), r
    (its repository), v (its licence verdict) and `kinds` of languages. `needs`: which of the signals and `kinds`."""

    kind: Kind
    meaning: str
    sql: str
    needs: tuple[str, ...] = ()


def _of(source: str, kind: Kind, meanings: dict[str, str]) -> dict[str, Column]:
    needs = (source,) if len(source) > 1 else ()
    where = f"f.{source}" if needs or source == "c" else source
    return {name: Column(kind, meaning, f"{where}.{name}", needs) for name, meaning in meanings.items()}


# A dot at the beginning of a name starts no extension here, as in Python's os.path.splitext.
_STEM = (
    "lower(CASE WHEN f.extension <> '' AND length(f.file_name) > length(f.extension) + 1 "
    "THEN left(f.file_name, length(f.file_name) - length(f.extension) - 1) ELSE f.file_name END)"
)
_GENERATED = (
    "CASE WHEN f.c.place IS NOT NULL THEN coalesce("
    "f.generated_name, f.generated.generated_marker, f.generated_content.generated_content) IS NOT NULL END"
)

COLUMNS: dict[str, Column] = {
    **_of("r", "text", {"repo_name": "the repository", "rights": "`public` or `owned`"}),
    **_of(
        "f",
        "text",
        {
            "path": "within the repository",
            "file_name": "the last part of the path",
            "extension": "of the file name: lower case, without the dot",
        },
    ),
    "stem": Column("text", "the file name without its extension, in lower case", _STEM),
    **_of("f", "number", {"length_bytes": "size as stored in the repository"}),
    **_of(
        "f",
        "truth value",
        {
            "is_vendor": "copied in from elsewhere, by its path",
            "is_documentation": "documentation, by its path",
            "is_test": "a test or test data, by its path",
            "is_license": "a licence file, by its name",
        },
    ),
    **_of(
        "r",
        "number",
        {
            "star_events_count": "stars of the repository",
            "fork_events_count": "forks of the repository",
            "fork_share": "of a repository that is a copy of another: the share of its contents that stand there",
        },
    ),
    **_of("r", "text", {"repository_kind": "`mirror` or `fork` of a better repository; unknown: neither"}),
    **_of(
        "v",
        "text",
        {
            "license_type": "`permissive`, `no_license` or `non_permissive`",
            "license_evidence": "what told the licence: `notice`, `origin`, `stated`, `path`, `declared`, `conflict`, "
            "`none`",
        },
    ),
    **_of("language", "text", {"language": "by Linguist's name"}),
    "language_extension": Column(
        "text",
        "`LANGUAGE:EXTENSION`, e.g. `C++:h`",
        "f.language.language || ':' || f.extension",
        ("language",),
    ),
    "language_kind": Column(
        "text",
        "`programming`, `markup`, `data` or `prose`, as Linguist has it",
        "kinds.language_kind",
        ("language", "kinds"),
    ),
    **_of("c", "text", {"src_encoding": "the encoding it was stored in, e.g. `UTF-8`"}),
    **_of(
        "lines",
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
    **_of(
        "encoded",
        "number",
        {
            "base64_longest": "characters of the longest run of base64, by the paper's pattern",
            "hex_longest": "characters of the longest run of bytes in hexadecimal, by the paper's pattern",
            "unicode_longest": "characters of the longest run of `\\u` escapes, by the paper's pattern",
            "encoded_longest": "characters of the longest of the three",
            "encoded_fraction": "share of characters in runs of any of the three",
            "encoded_data_longest": "as `encoded_longest`, without base64 that is a list of words",
            "encoded_data_fraction": "as `encoded_fraction`, without base64 that is a list of words",
        },
    ),
    **_of(
        "shape",
        "number",
        {
            "whitespace_fraction": "share of characters that are white space",
            "digit_fraction": "share of characters that are digits",
            "number_run_longest": "characters of the longest run, of 256 or more, of numbers and what separates them",
            "number_run_fraction": "share of characters in such runs",
            "duplicate_line_fraction": "share of lines, blank ones aside, that repeat an earlier one",
        },
    ),
    **_of("shape", "truth value", {"is_minified": "code squeezed onto few lines"}),
    **_of(
        "lexical",
        "number",
        {
            "comment_fraction": "share of characters, white space aside, in comments and documentation",
            "avg_identifier_length": "characters of an identifier, on average, keywords aside",
            "string_fraction": "share of characters, white space aside, in strings",
            "longest_string": "characters of the longest string",
            "prose_fraction": "share of characters, white space aside, in words that stand four or more in a row",
        },
    ),
    **_of("lexical", "truth value", {"has_docstring": "a documentation comment or docstring is in it"}),
    **_of(
        "html",
        "number",
        {
            "visible_characters": "of HTML: characters of the text that a reader sees",
            "visible_fraction": "of HTML: the same as a share of all characters",
        },
    ),
    **_of(
        "syntax",
        "number",
        {
            "parse_error_fraction": "with `[syntax] enabled`: share of bytes that a tree-sitter grammar cannot parse",
            "parse_errors": "with `[syntax] enabled`: places that a tree-sitter grammar cannot parse",
        },
    ),
    **_of(
        "malware",
        "text",
        {
            "malware": "the signatures of `[malware]` that it meets; unknown: none",
            "malware_scanners": "who looked, with their versions; unknown: nobody",
            "malware_problem": "why a scanner that was asked for did not look at it; unknown: all did",
        },
    ),
    **_of("quality", "number", {"quality_score": "0 to 1, by the scorer of `[quality]`: higher is better"}),
    **_of(
        "private",
        "number",
        {
            "emails": "e-mail addresses found in it",
            "ip_addresses": "public IP addresses found in it",
            "keys": "keys, tokens and other secrets found in it",
            "passwords": "passwords found in it",
            "names": "names of persons found in it",
            "usernames": "user names found in it",
        },
    ),
    **_of(
        "contamination",
        "text",
        {
            "benchmark": "the benchmark of which a problem stands in it; unknown: none",
            "benchmark_problem": "that problem, by the benchmark's name for it",
            "benchmark_part": "what of it: `prompt`, `docstring`, `solution` …",
            "benchmark_match": "all of that in words, with its lines and how many more problems there are",
            "benchmarks": "what `[contamination]` looks for; unknown: nothing",
        },
    ),
    **_of(
        "contamination",
        "number",
        {
            "benchmark_line": "the first line of that part in it",
            "benchmark_end": "the last line",
            "benchmark_hits": "problems of benchmarks that stand in it; unknown: none were looked for",
        },
    ),
    "is_generated": Column(
        "truth value",
        "written by a program, by its name, form, header or the paper's markers",
        _GENERATED,
        ("generated", "generated_content"),
    ),
}

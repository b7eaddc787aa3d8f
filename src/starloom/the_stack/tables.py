"""The tables of the build: their columns, and where in a workspace they are.

Names are The Stack v2's wherever it has one. Everything after the_stack reads a workspace through this module,
`origins` and `opt_outs`, never by path.
"""

from pathlib import Path

import pyarrow as pa

from starloom.errors import UserError
from starloom.workspace.manifest import NAME, read_manifest
from starloom.workspace.stage import opened

LISTING, FILES, SIGNALS, PAIRS, LEDGER, DATASET = "listing", "files", "signals", "pairs", "ledger", "dataset"

# The order in which copies of a content are preferred: SQL over the columns of LISTED_FILES joined with REPOSITORIES;
# total, so every engine finds the same best one. `read` takes it for the provisional home, `decide` for the keeper.
BETTER = "is_vendor, coalesce(star_events_count, 0) DESC, coalesce(fork_events_count, 0) DESC, first_seen NULLS LAST"
BEST = f"{BETTER}, repo_name, path"

_TIME = pa.timestamp("us", tz="UTC")
_TEXTS = pa.list_(pa.string())

_PLACE = [pa.field("start", pa.int32(), nullable=False), pa.field("end", pa.int32(), nullable=False)]

# What `write` replaced in a content: characters of the content as it is in the dataset, and the kind (privacy/finding).
REDACTIONS = pa.list_(pa.struct([*_PLACE, pa.field("kind", pa.string(), nullable=False)]))

REPOSITORIES = pa.schema(
    [
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # git, folder, distribution, package, archive, archived, dataset
        pa.field("location", pa.string(), nullable=False),
        pa.field("rights", pa.string(), nullable=False),  # public, owned
        ("url", pa.string()),  # where it came from
        ("home_page", pa.string()),
        ("checksum", pa.string()),  # of a package's or archive's file: sha256:…
        ("revision_id", pa.string()),
        ("version", pa.string()),
        ("directory_id", pa.string()),
        ("branch_name", pa.string()),
        ("revision_date", _TIME),
        ("committer_date", _TIME),
        ("snapshot_id", pa.string()),  # of Software Heritage
        ("visit_date", _TIME),
        ("declared_license", pa.string()),  # an SPDX expression
        ("star_events_count", pa.int64()),
        ("fork_events_count", pa.int64()),
        ("github_id", pa.int64()),
        ("former_names", _TEXTS),
        ("gha_license_id", pa.string()),  # this and the next five: from GitHub's events
        ("gha_event_created_at", _TIME),
        ("gha_created_at", _TIME),
        ("gha_updated_at", _TIME),
        ("gha_pushed_at", _TIME),
        ("gha_language", pa.string()),
        pa.field("state", pa.string(), nullable=False),  # token of the source: equal means nothing to list again
        pa.field("num_files", pa.int64(), nullable=False),
        pa.field("length_bytes", pa.int64(), nullable=False),
        pa.field("first_row", pa.int64(), nullable=False),  # of its files in files.parquet
        ("repository_kind", pa.string()),  # mirror, fork: of a better one (see RELATIONS); null: neither
        ("fork_share", pa.float64()),  # of its contents that count, those that the better one has
    ]
)

LISTED_FILES = pa.schema(
    [
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("file_name", pa.string(), nullable=False),
        pa.field("extension", pa.string(), nullable=False),
        pa.field("entry_type", pa.string(), nullable=False),  # file, symlink, submodule, special, outside, folder
        pa.field("mode", pa.int32(), nullable=False),
        ("length_bytes", pa.int64()),
        ("content_id", pa.string()),
        ("first_seen", _TIME),  # when the repository's history first had this content
        pa.field("is_vendor", pa.bool_(), nullable=False),
        pa.field("is_documentation", pa.bool_(), nullable=False),
        pa.field("is_test", pa.bool_(), nullable=False),
        ("generated_name", pa.string()),  # why the name alone says "generated"
        ("license_base", pa.string()),  # of a licence file candidate: the folder it speaks for
        pa.field("is_license", pa.bool_(), nullable=False),  # by its name it is a licence and nothing else
        ("metadata_base", pa.string()),  # of package metadata and READMEs: the folder they speak for
        ("problem", pa.string()),  # why it could not be listed properly
        ("target", pa.string()),  # of a submodule: the commit
        ("excluded", pa.string()),  # the pattern of the repository's .starloom.toml that leaves it out
    ]
)

# Columns of REPOSITORIES that come from listing, not from the source.
COUNTED = ("state", "num_files", "length_bytes", "first_row", "repository_kind", "fork_share")

# Repositories that did not come in. Rule: "repository" is quarantined and tried again, the others are dropped.
PROBLEMS = pa.schema(
    [
        pa.field("location", pa.string(), nullable=False),
        ("repo_name", pa.string()),
        pa.field("rule", pa.string(), nullable=False),  # repository, opt-out, sample, duplicate-repository
        pa.field("rights", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        ("hint", pa.string()),
    ]
)

# Repositories, and folders of them, whose contents stand in another one, the origin.
RELATIONS = pa.schema(
    [
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),  # the folder; empty: the whole repository
        pa.field("kind", pa.string(), nullable=False),  # mirror, fork: of whole repositories; vendored: of a folder
        pa.field("origin_repo_name", pa.string(), nullable=False),
        pa.field("origin_path", pa.string(), nullable=False),  # the folder it stands in there; empty: its root
        pa.field("share", pa.float64(), nullable=False),  # of the folder's contents that count, those the origin has
        pa.field("files", pa.int64(), nullable=False),  # of the folder, with those contents
    ]
)

CONTENTS = pa.schema(
    [
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("blob_id", pa.string(), nullable=False),
        pa.field("length_bytes", pa.int64(), nullable=False),
        pa.field("src_encoding", pa.string(), nullable=False),
        pa.field("home", pa.string(), nullable=False),  # the repository it was read from
        pa.field("content", pa.string(), nullable=False),
        ("original", pa.binary()),  # the bytes, where content in src_encoding does not give them again
    ]
)

REFUSED = pa.schema(
    [
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),  # binary, damaged, lfs-pointer, unreadable
        pa.field("reason", pa.string(), nullable=False),
    ]
)

PAIR_ROWS = pa.schema(
    [
        pa.field("left", pa.string(), nullable=False),  # content_id, the smaller one
        pa.field("right", pa.string(), nullable=False),
        ("jaccard", pa.float64()),  # null: not verified
    ]
)

STREAM_ROWS = pa.schema(
    [
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("stream_id", pa.string(), nullable=False),  # the least content_id of those with this token stream
    ]
)

# ScanCode's answers, one a text.
SCANS = pa.schema(
    [
        pa.field("text_id", pa.string(), nullable=False),
        ("expression", pa.string()),  # null: no licence found
        ("rule", pa.string()),  # ScanCode's rules, the first three
        ("score", pa.float64()),  # the least of the matches, 0 to 100
        ("start", pa.int32()),  # lines of the canonical text
        ("end", pa.int32()),
    ]
)

LEDGER_VERSION = 5
NEAR_DUPLICATE = "near-duplicate"  # the rule of files that go for a twin

LEDGER_ROWS = pa.schema(
    [
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        ("content_id", pa.string()),
        pa.field("verdict", pa.string(), nullable=False),  # kept, changed, dropped, quarantined
        ("rule", pa.string()),
        ("value", pa.string()),
        ("limit", pa.string()),
        ("matched_rules", _TEXTS),  # every rule whose condition holds, in the order in which they are asked
        ("twin_repo_name", pa.string()),
        ("twin_path", pa.string()),
        ("twin_content_id", pa.string()),
        ("jaccard", pa.float64()),  # to the twin
        ("split", pa.string()),  # train, held_out; of kept and changed files
        ("language", pa.string()),
        ("license_type", pa.string()),  # permissive, no_license, non_permissive
        ("detected_licenses", _TEXTS),
        ("license_evidence", pa.string()),  # notice, origin, stated, path, declared, conflict, none
        ("license_source", pa.string()),  # where that stands: REPO:PATH:LINES
        ("license_rule", pa.string()),  # what read it there
        ("license_score", pa.float64()),  # 0 to 100, as ScanCode has it; 100 for what is exact
        pa.field("rights", pa.string(), nullable=False),
        ("length_bytes", pa.int64()),
        pa.field("is_vendor", pa.bool_(), nullable=False),
        ("is_generated", pa.bool_()),
        ("quality_score", pa.float32()),
    ]
)

# What is decided already where files were made of others, as documents are: the content that each was made of, its
# licence, and whether files of its repository are held out.
_LICENSES = "license_type detected_licenses license_evidence license_source license_rule license_score"
DECIDED = pa.schema(
    [
        *(LEDGER_ROWS.field(name) for name in ("repo_name", "path", *_LICENSES.split())),
        pa.field("made_of", pa.string(), nullable=False),
        pa.field("held_out", pa.bool_(), nullable=False),
    ]
)

DATASET_FILES = pa.schema(
    [
        ("blob_id", pa.string()),
        ("directory_id", pa.string()),
        ("path", pa.string()),
        ("content_id", pa.string()),
        ("detected_licenses", _TEXTS),
        ("license_type", pa.string()),
        ("repo_name", pa.string()),
        ("snapshot_id", pa.string()),
        ("revision_id", pa.string()),
        ("branch_name", pa.string()),
        ("visit_date", _TIME),
        ("revision_date", _TIME),
        ("committer_date", _TIME),
        ("github_id", pa.int64()),
        ("star_events_count", pa.int64()),
        ("fork_events_count", pa.int64()),
        ("gha_license_id", pa.string()),
        ("gha_event_created_at", _TIME),
        ("gha_created_at", _TIME),
        ("gha_language", pa.string()),
        ("src_encoding", pa.string()),
        ("language", pa.string()),
        ("is_vendor", pa.bool_()),
        ("is_generated", pa.bool_()),
        ("length_bytes", pa.int64()),
        ("extension", pa.string()),
        ("alphanum_fraction", pa.float32()),
        ("alpha_fraction", pa.float32()),
        ("num_lines", pa.int32()),
        ("avg_line_length", pa.float32()),
        ("max_line_length", pa.int32()),
        ("license_evidence", pa.string()),
        ("rights", pa.string()),
        ("quality_score", pa.float32()),
        ("redactions", REDACTIONS),
        ("content", pa.string()),
    ]
)

_REPOSITORY_FILE = """
blob_id path content_id language length_bytes detected_licenses license_type src_encoding is_vendor is_generated
alphanum_fraction alpha_fraction num_lines avg_line_length max_line_length
"""
REPOSITORY_FILE = pa.struct([(name, DATASET_FILES.field(name).type) for name in _REPOSITORY_FILE.split()])

DATASET_REPOSITORIES = pa.schema(
    [
        DATASET_FILES.field("repo_name"),
        ("repo_url", pa.string()),
        *map(DATASET_FILES.field, ("snapshot_id", "revision_id", "directory_id", "branch_name")),
        *map(DATASET_FILES.field, ("visit_date", "revision_date", "committer_date", "github_id")),
        *map(DATASET_FILES.field, ("star_events_count", "fork_events_count", "gha_license_id", "gha_created_at")),
        ("gha_updated_at", _TIME),
        ("gha_pushed_at", _TIME),
        *map(DATASET_FILES.field, ("gha_language", "rights")),
        ("files", pa.list_(REPOSITORY_FILE)),
        ("num_files", pa.int64()),
    ]
)

_MADE_BY = {LISTING: "list", PAIRS: "pair", LEDGER: "decide", DATASET: "write"}


def output(root: Path, folder: str, name: str) -> list[Path]:
    """One Parquet file of a published folder. Raises UserError when the stage has not run, or the folder is damaged."""
    opened(root / folder, _MADE_BY[folder])
    return [root / folder / f"{name}.parquet"]


def repositories(root: Path) -> list[Path]:
    return output(root, LISTING, "repositories")


def listed_files(root: Path) -> list[Path]:
    return output(root, LISTING, "files")


def problems(root: Path) -> list[Path]:
    """Repositories that could not be read, or were left out by `sample_bytes`."""
    return output(root, LISTING, "problems")


def relations(root: Path) -> list[Path] | pa.Table:
    """Mirrors, forks and vendored folders; without a row where an older Starloom made the listing."""
    (path,) = output(root, LISTING, "relations")
    return [path] if path.exists() else RELATIONS.empty_table()


def decided(root: Path) -> list[Path]:
    """DECIDED, of a listing of files that were made of others; no file of other listings."""
    return [path for path in output(root, LISTING, "decided") if path.exists()]


def pairs(root: Path) -> list[Path]:
    return output(root, PAIRS, "pairs")


def streams(root: Path) -> list[Path]:
    return output(root, PAIRS, "streams")


def ledger(root: Path) -> list[Path]:
    manifest = opened(root / LEDGER, "decide")
    if manifest.version != LEDGER_VERSION:
        raise UserError(
            f"{root / LEDGER} was written by another version of Starloom, with other columns",
            "run `starloom build`: it decides anew, and measures only what it lacks",
        )
    return [root / LEDGER / "ledger.parquet"]


def contents(root: Path) -> list[Path]:
    """The files of the content cache. Never to be queried as a whole: a content column may hold terabytes."""
    return _parts(root / FILES, "contents")


def refused(root: Path) -> list[Path]:
    return _parts(root / FILES, "refused")


def signal(root: Path, name: str) -> list[Path]:
    return _parts(root / SIGNALS / name, name)


def signal_rows(root: Path, name: str) -> list[Path] | pa.Table:
    """For queries: the files of a signal, or its columns without a row where no content was there to measure."""
    from starloom.the_stack.signal import all_signals

    return signal(root, name) or next(one for one in all_signals() if one.name == name).schema.empty_table()


def scans(root: Path) -> list[Path] | pa.Table:
    """ScanCode's answers by text_id; without a row where nothing was asked."""
    return signal(root, "scancode") or SCANS.empty_table()


def dataset(root: Path, form: str, split: str) -> list[Path]:
    """The dataset by `form` ("files" or "repositories") of one split, in order."""
    manifest = opened(root / DATASET, "write")
    prefix = f"{form}/{split}-"
    return [root / DATASET / file.name for file in manifest.files if file.name.startswith(prefix)]


def _parts(folder: Path, name: str) -> list[Path]:
    manifest = read_manifest(folder)
    files = manifest.files if manifest else ()
    return [folder / file.name.removesuffix(NAME) / f"{name}.parquet" for file in files]

"""Which columns of a data set say what: The Stack v1, v2, v3, our own, and anything that has a `content`.

Two shapes of row: one file, or one repository with a list `files`. Names are looked up in order, the first that is
there counts; what a data set has beyond them is not used. A row names a file by its contents (`content`), by the ids
under which they are stored elsewhere (`blob_id` and `content_id`), or both.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

# Field of `Repository` → columns, in the order of v2 and our own, v1, v3, others. A dot enters a struct.
REPOSITORY = {
    "repo_name": ("repo_name", "max_stars_repo_name", "repo_path", "repository_name", "repository", "repo"),
    "url": ("repo_url",),
    "revision_id": ("revision_id", "max_stars_repo_head_hexsha", "commit_id"),
    "snapshot_id": ("snapshot_id",),
    "directory_id": ("directory_id",),
    "branch_name": ("branch_name", "github_metadata.branch"),
    "visit_date": ("visit_date",),
    "revision_date": ("revision_date",),
    "committer_date": ("committer_date",),
    "github_id": ("github_id", "repo_id"),
    "star_events_count": ("star_events_count", "max_stars_count", "github_metadata.stars"),
    "fork_events_count": ("fork_events_count", "github_metadata.forks"),  # v1's max_forks are of another repository
    "gha_license_id": ("gha_license_id",),
    "gha_event_created_at": ("gha_event_created_at",),
    "gha_created_at": ("gha_created_at", "github_metadata.repo_created_at"),
    "gha_updated_at": ("gha_updated_at",),
    "gha_pushed_at": ("gha_pushed_at",),
    "gha_language": ("gha_language",),
    "declared_license": ("max_stars_repo_licenses", "license"),
}
FILE = {
    "content": ("content", "text", "code"),
    "path": ("path", "max_stars_repo_path", "file_path", "filename", "file_name"),
    "content_id": ("content_id", "hexsha"),
    "blob_id": ("blob_id",),
    "size": ("length_bytes", "size_bytes", "size"),
    "src_encoding": ("src_encoding",),
    "extension": ("extension", "ext"),
    "id": ("id",),
}
UNDERSTOOD = (
    "a column `content` (or `text`, `code`), or `content_id`, `blob_id` and `path`, one row a file; "
    "or `repo_name` (or `repo_path`) with a list `files` of such, one row a repository"
)
_ONLY_OURS = "license_evidence"  # a column that no other data set of The Stack has
_GITHUB = ("max_stars_repo_name", "github_metadata", "gha_license_id")  # data sets whose repositories are all GitHub's


@dataclass(frozen=True)
class Shape:
    """Columns by field, as pairs, so that it is hashable."""

    repository: tuple[tuple[str, str], ...]
    file: tuple[tuple[str, str], ...]  # of the row, or of a struct in its `files`
    nested: bool  # one row a repository
    inline: bool  # contents are in the rows
    ours: bool  # paths are in our text form
    github: bool

    def columns(self) -> list[str]:
        """Top-level columns to read."""
        names = [column for _, column in self.repository] + (["files"] if self.nested else [c for _, c in self.file])
        return sorted({name.partition(".")[0] for name in names})


def shape_of(columns: Collection[str], inner: Collection[str] = (), structs: Collection[str] = ()) -> Shape | None:
    """The shape of rows with these columns; `inner`: the fields of the structs in `files`; `structs`: `a.b` for the
    fields of other structs. None where it is none that is understood."""
    nested = "files" in columns and bool(inner)
    here = set(inner if nested else columns)
    repository = _first(REPOSITORY, {*columns, *structs})
    file = _first(FILE, here)
    named = dict(file)
    inline = "content" in named
    by_id = {"content_id", "blob_id", "path"} <= named.keys()
    if not (inline or by_id) or (nested and "repo_name" not in dict(repository)):
        return None
    return Shape(
        repository=repository,
        file=file,
        nested=nested,
        inline=inline,
        ours=_ONLY_OURS in columns,
        github=any(name in columns for name in _GITHUB),
    )


def _first(fields: dict[str, tuple[str, ...]], there: Iterable[str]) -> tuple[tuple[str, str], ...]:
    known = set(there)
    found = ((field, next((name for name in names if name in known), None)) for field, names in fields.items())
    return tuple((field, name) for field, name in found if name is not None)

"""Folders in which tools keep what is no part of a project: their names, for whatever walks a folder."""

NOT_ENTERED = frozenset(
    [
        *(".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".eggs", ".cache", "__pycache__"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".gradle", ".idea", ".vs"),
    ]
)

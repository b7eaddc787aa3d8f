"""Matching code: which stretches of a text stand in the dataset, in which files, under which licences.

`Index` is the library: `Index.open(workspace).check(text)`. It is imported when asked for: its kernels take a second.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starloom.membership.check import Index

__all__ = ["Index"]


def __getattr__(name: str) -> Any:
    if name == "Index":
        from starloom.membership.check import Index

        return Index
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

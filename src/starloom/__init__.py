"""Starloom: repositories in; a curated, explained code dataset out."""

__version__ = "0.1.0"

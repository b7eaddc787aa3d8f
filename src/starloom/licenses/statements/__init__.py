"""What package metadata, machine-readable copyright files and READMEs say about licences."""

from starloom.licenses.statements.reading import base, is_metadata, may_be_metadata, statements
from starloom.licenses.statements.statement import Statement

__all__ = ["Statement", "base", "is_metadata", "may_be_metadata", "statements"]

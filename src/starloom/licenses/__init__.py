"""Licences of files: by a candidate's whole text, by a file's own notice, by metadata; classes and the verdict."""

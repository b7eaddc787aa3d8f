"""Data sets of code in The Stack's columns as repositories: `open_dataset`, by path or from the Hub."""

from starloom.sources.hub_datasets.open import open_dataset

__all__ = ["open_dataset"]

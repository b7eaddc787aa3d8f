"""What happened to the files of documents as they were laid out, counted: shares as observed, and what fell back."""

from dataclasses import dataclass, fields


@dataclass
class Seen:
    """Counts; of a whole, the sum of its parts."""

    documents: int = 0
    with_metadata: int = 0  # documents that tell repository and paths
    files: int = 0
    cut: int = 0  # files cut for fill-in-the-middle
    suffix_first: int = 0  # of the cut files, those that show the suffix first
    syntax: int = 0  # of the cut files, those whose middle is a piece of syntax
    no_grammar: int = 0  # cut at characters instead: nothing parses their language
    not_parsed: int = 0  # cut at characters instead: too large, given up, or nothing of it without errors

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Seen)))

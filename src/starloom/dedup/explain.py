"""What a search for near-duplicates will find, before it is run: the text of `--explain`."""

from starloom.dedup.bands import LEADERS
from starloom.dedup.signature import MinHashSettings, Tokenisation, least_agreement

_TOKENISATIONS: dict[Tokenisation, str] = {
    "words": "lower case, split at whatever is no letter, digit or underscore; empties dropped",
    "bigcode-v2": "that of The Stack v2: lower case, split at each such character; empty tokens count",
    "text-dedup": "that of text-dedup: lower case, split at each such character; empties dropped",
}
_SIMILARITIES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def explain(settings: MinHashSettings, threshold: float) -> str:
    """Tokenisation, bands, the probability that a pair is compared, and what is exact: some twenty lines.

    `threshold`: the Jaccard similarity from which one of two files goes.
    """
    bands, rows = settings.bands, settings.rows
    likely = sorted({*_SIMILARITIES, threshold})
    lines = [
        f"tokenisation  {settings.tokenisation}: {_TOKENISATIONS[settings.tokenisation]}",
        f"shingles      {settings.shingle} tokens in a row; a file of fewer tokens is never a duplicate",
        f"signature     {settings.permutations} permutations, seed {settings.seed}",
        f"bands         {bands} of {rows} rows: pairs with an equal band are candidates",
        "",
        "Jaccard similarity of two files, and the probability that they become a candidate",
        *(f"  {one:<6g}{_found(one, settings):>8}{'  <- threshold' if one == threshold else ''}" for one in likely),
        "",
        f"Expected recall at the threshold {threshold:g}: {_found(threshold, settings)}; above it, more.",
        f"Candidates that agree in fewer than {least_agreement(threshold, settings.permutations)} of "
        f"{settings.permutations} values are not compared: of pairs at the threshold,",
        "less than one in a million.",
        "Exact: the similarity of each pair that is compared, from the whole texts. No file goes that is less",
        "similar to the one kept for it than the threshold.",
        f"Not exact: pairs that never became candidates; and where more than {LEADERS} files share a band, each is",
        f"compared with the best {LEADERS} only. Such buckets are counted.",
    ]
    return "\n".join(lines)


def _found(similarity: float, settings: MinHashSettings) -> str:
    """`bands.candidate_probability`, to four places; what is not certain is not rounded to it."""
    missed = (1.0 - similarity**settings.rows) ** settings.bands
    if 0.0 < missed < 0.00005:
        return ">0.9999"
    return "<0.0001" if 0.99995 < missed < 1.0 else f"{1.0 - missed:.4f}"

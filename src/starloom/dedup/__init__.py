"""Near-duplicates of source files: candidates by MinHash bands, exact Jaccard, star clusters.

Importing this package brings no Numba: the functions below import kernels when they are called.
"""

from starloom.dedup.explain import explain
from starloom.dedup.near_duplicates import NearDuplicates, near_duplicates
from starloom.dedup.signature import MinHashSettings, tuned

__all__ = ["MinHashSettings", "NearDuplicates", "explain", "near_duplicates", "tuned"]

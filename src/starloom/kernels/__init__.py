"""Bytes in, arrays out: the loops of Starloom that Python is too slow for.

Importing this package imports no Numba: the modules below do, so that commands which need no kernel start
fast. Every kernel is single-threaded and releases the GIL; parallelism is over batches, in threads or
processes.
"""

from starloom.kernels.start import STEPS, is_warm, warm, warm_step

__all__ = ["STEPS", "is_warm", "warm", "warm_step"]

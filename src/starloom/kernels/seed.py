"""The seed of the published signatures, apart from the kernels so that settings can name it without Numba.

How it was chosen (24 November 2026): a multiply-add family has an occasional bad seed, so the seeds 1 to 64
were measured, at 256 permutations, on 1,814 pairs of files of Python 3.11.7's standard library (1,786 files;
exact Jaccard .1 to 1, at most 400 pairs per .05, files of equal token streams left out). RMSE over the seeds:
mean .0276, least .0222, most .0426; theory .0280. Mean bias -.0011, standard error .0013. Four seeds had an
RMSE within 1 % of the mean (17, 23, 34, 37); of these 34 has the least bias of its own: RMSE .0278, +.0054.
`tests/kernels/test_minhash.py` repeats the check on other pairs.
"""

FROZEN_SEED = 34

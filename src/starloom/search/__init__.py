"""Full-text search of the dataset: words, exact pieces of text, filters; every hit verified on the text.

query: what was asked. matching: what it means on one file. index: made, opened, asked. hits: what is shown.
"""

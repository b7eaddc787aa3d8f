"""The model: StarCoder2 as published (arXiv 2402.19173, section 6), its loss, decoding, files and likelihoods."""

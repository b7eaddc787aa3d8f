"""Fine-tuning: a model that is there already goes on with texts, completions or conversations; whole, or by adapters.

`lines` reads a file's examples, `chat` lays out conversations, `tokens` packs them; `base` is the model that is begun
with, `adapters` what is trained of it, `foreign` the objective of models of other shapes than StarCoder2, `card` what
the result says of itself; `run` puts it together for the loop.
"""

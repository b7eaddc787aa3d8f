"""Making a model out of tokens: settings and records of runs (torch-free), the optimizer, the loop, its checkpoints."""

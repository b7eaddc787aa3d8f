"""The parts of bench/dedup.py: inputs, peers, exact answers, the multiplied corpus and the adversarial set."""

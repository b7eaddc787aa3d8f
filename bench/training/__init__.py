"""Parts of bench/training.py."""

"""Parts of bench/safety.py."""

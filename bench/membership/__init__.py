"""Parts of bench/membership.py."""

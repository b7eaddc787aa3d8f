"""Parts of bench/ablation.py."""

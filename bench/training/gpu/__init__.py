"""What needs a GPU: run by h200.sh; with `--small` on a CPU, to see that it runs."""

"""`map` and `query`: the verbs in verbs.py, the embedded engine in local.py."""

"""Templates: how each kind of document is laid out for a model, one file per kind."""

"""Published benchmarks: their problems, and where these stand in a dataset. Nothing is run here."""

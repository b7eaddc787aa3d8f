"""Matching code: which stretches of a text stand in the dataset, in which files, under which licences."""

"""Documents that are no source files, one file per kind; `collect` is their only entrance."""

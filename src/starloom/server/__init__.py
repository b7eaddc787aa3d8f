"""The web app and the completions API over one workspace; `starloom serve`."""

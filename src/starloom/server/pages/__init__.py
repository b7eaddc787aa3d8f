"""One file per page, its template beside it. Pages work without JavaScript and answer JSON to whoever asks for it."""

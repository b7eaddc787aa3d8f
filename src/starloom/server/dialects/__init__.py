"""One file per protocol that clients speak: it translates into a completion.request.Request and back, no more."""

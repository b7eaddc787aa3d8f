"""One module a signal; `the_stack.signal.all_signals` reads this folder."""

"""What the benches have in common: a run in sections, the machine, times, a workspace to measure on."""

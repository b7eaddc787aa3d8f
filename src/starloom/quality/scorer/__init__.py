"""Scorers of quality that are learned: `open_scorer` opens one, `learning` makes one."""

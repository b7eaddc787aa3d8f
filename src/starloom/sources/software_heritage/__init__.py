"""Repositories of a Software Heritage graph export: its tables, heads, walk, contents; `archive` is the door."""

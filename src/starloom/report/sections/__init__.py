"""One module a section, its template beside it; `report.page.SECTIONS` has their order."""

"""Samsung's CredSweeper, as it comes: with its model."""

import importlib.metadata
import logging
import tempfile

import asking
from credsweeper.app import CredSweeper
from credsweeper.file_handler.files_provider import FilesProvider

logging.disable(logging.CRITICAL)
files = asking.files()
with tempfile.TemporaryDirectory() as folder:
    paths = asking.written(folder, files)
    rows = {str(path): row for row, path in enumerate(paths)}
    before = asking.spent()
    sweeper = CredSweeper(ml_threads_limit=1)
    sweeper.run(FilesProvider([str(path) for path in paths]))
    told = sweeper.credential_manager.get_credentials()
    work = asking.spent() - before
found, starts = [], {}
for one in told:
    places = []
    for data in one.line_data_list:  # of a private key one a line
        row = rows.get(str(data.path))
        if row is not None:
            content = files[row][1]
            starts.setdefault(row, asking.line_starts(content))
            places.append(asking.in_line(content, starts[row], data.line_num, data.value, max(data.value_start, 0)))
    if places and None not in places:
        kind = "PASSWORD" if "Password" in one.rule_name else "KEY"
        found.append((row, min(places)[0], max(place[1] for place in places), kind, one.rule_name))
asking.answer(importlib.metadata.version("credsweeper"), found, before, work)

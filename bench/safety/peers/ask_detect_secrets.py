"""Yelp's detect-secrets, as it comes."""

import importlib.metadata
import logging
import tempfile

import asking
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

logging.disable(logging.CRITICAL)
files = asking.files()
with tempfile.TemporaryDirectory() as folder, default_settings():
    paths = asking.written(folder, files)
    before = asking.spent()
    told = []
    for row, path in enumerate(paths):
        secrets = SecretsCollection()
        secrets.scan_file(str(path))
        told += [(row, one) for some in secrets.data.values() for one in some]
    work = asking.spent() - before
found, starts = [], {}
for row, one in told:
    content = files[row][1]
    starts.setdefault(row, asking.line_starts(content))
    place = asking.in_line(content, starts[row], one.line_number, one.secret_value)
    if place:
        kind = "PASSWORD" if one.type in ("Secret Keyword", "Basic Auth Credentials") else "KEY"
        found.append((row, *place, "IP_ADDRESS" if "IP" in one.type else kind, one.type))
asking.answer(importlib.metadata.version("detect-secrets"), found, before, work)

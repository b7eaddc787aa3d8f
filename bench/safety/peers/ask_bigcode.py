"""BigCode's script for The Stack v1 (pii/ of bigcode-dataset): its regular expressions, and its set of detect-secrets.

The checkout's `pii` folder is the third argument.
"""

import contextlib
import io
import logging
import os
import sys
from pathlib import Path

import asking

logging.disable(logging.CRITICAL)
files = asking.files()
sys.argv[2] = str(Path(sys.argv[2]).resolve())
os.chdir(sys.argv[3])  # it opens its model by a relative path
sys.path.insert(0, ".")
from pii_redaction import POPULAR_DNS_SERVERS, is_private_ip  # noqa: E402
from utils.emails_ip_addresses_detection import detect_email_addresses  # noqa: E402
from utils.keys_detection import detect_keys  # noqa: E402


def replaced(one):
    """Whether its redaction does not pass it over."""
    value = one["value"]
    return one["tag"] != "IP_ADDRESS" or not (is_private_ip(value) or value in POPULAR_DNS_SERVERS)


found = []
before = asking.spent()
for row, (_, content) in enumerate(files):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        some = detect_email_addresses(content, {"EMAIL", "IP_ADDRESS"})
        with contextlib.suppress(UnicodeEncodeError, IndexError):  # its own, on odd files
            some += detect_keys(content)
    found += [(row, one["start"], one["end"], one["tag"], one["tag"]) for one in some if replaced(one)]
asking.answer("bebec92", found, before, asking.spent() - before)

"""Names that people give licences, and the SPDX ids they mean: PyPI's classifiers, and free text.

Where a name leaves the version or the variant open, it is read as ScanCode reads PyPI's classifiers: "BSD" is
BSD-3-Clause, "Apache" Apache-2.0, "GPL" any version (GPL-1.0-or-later).
"""

import functools
import re

from starloom.licenses.categories import PROPRIETARY, PUBLIC_DOMAIN

_FREE_UNKNOWN = "LicenseRef-scancode-free-unknown"  # given away, terms unknown: not permissive

# All classifiers under "License ::" of trove-classifiers 2026.9.21.13, with its five deprecated ones. None: says
# nothing about the terms.
_OSI = "OSI Approved :: "
CLASSIFIERS: dict[str, str | None] = {
    "Aladdin Free Public License (AFPL)": "Aladdin",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "CeCILL-B Free Software License Agreement (CECILL-B)": "CECILL-B",
    "CeCILL-C Free Software License Agreement (CECILL-C)": "CECILL-C",
    "DFSG approved": None,
    "Eiffel Forum License (EFL)": "EFL-2.0",
    "Free For Educational Use": PROPRIETARY,
    "Free For Home Use": PROPRIETARY,
    "Free To Use But Restricted": PROPRIETARY,
    "Free for non-commercial use": PROPRIETARY,
    "Freely Distributable": _FREE_UNKNOWN,
    "Freeware": _FREE_UNKNOWN,
    "GUST Font License 1.0": "LicenseRef-scancode-gust-font-1.0",
    "GUST Font License 2006-09-30": "LicenseRef-scancode-gust-font-2006-09-30",
    "Netscape Public License (NPL)": "NPL-1.1",
    "Nokia Open Source License (NOKOS)": "Nokia",
    "OSI Approved": None,
    "Other/Proprietary License": PROPRIETARY,
    "Public Domain": PUBLIC_DOMAIN,
    "Repoze Public License": "LicenseRef-scancode-repoze",
    _OSI + "Academic Free License (AFL)": "AFL-3.0",
    _OSI + "Apache Software License": "Apache-2.0",
    _OSI + "Apple Public Source License": "APSL-2.0",
    _OSI + "Artistic License": "Artistic-1.0",
    _OSI + "Attribution Assurance License": "AAL",
    _OSI + "BSD License": "BSD-3-Clause",
    _OSI + "Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    _OSI + "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    _OSI + "CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
    _OSI + "CMU License (MIT-CMU)": "MIT-CMU",
    _OSI + "Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    _OSI + "Common Public License": "CPL-1.0",
    _OSI + "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    _OSI + "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    _OSI + "Educational Community License, Version 2.0 (ECL-2.0)": "ECL-2.0",
    _OSI + "Eiffel Forum License": "EFL-2.0",
    _OSI + "European Union Public Licence 1.0 (EUPL 1.0)": "EUPL-1.0",
    _OSI + "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    _OSI + "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    _OSI + "GNU Affero General Public License v3": "AGPL-3.0-only",
    _OSI + "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    _OSI + "GNU Free Documentation License (FDL)": "GFDL-1.1-or-later",
    _OSI + "GNU General Public License (GPL)": "GPL-1.0-or-later",
    _OSI + "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    _OSI + "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    _OSI + "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    _OSI + "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    _OSI + "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    _OSI + "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    _OSI + "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    _OSI + "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    _OSI + "GNU Library or Lesser General Public License (LGPL)": "LGPL-2.0-or-later",
    _OSI + "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    _OSI + "IBM Public License": "IPL-1.0",
    _OSI + "ISC License (ISCL)": "ISC",
    _OSI + "Intel Open Source License": "Intel",
    _OSI + "Jabber Open Source License": "LicenseRef-scancode-josl-1.0",
    _OSI + "MIT License": "MIT",
    _OSI + "MIT No Attribution License (MIT-0)": "MIT-0",
    _OSI + "MITRE Collaborative Virtual Workspace License (CVW)": _FREE_UNKNOWN,
    _OSI + "MirOS License (MirOS)": "MirOS",
    _OSI + "Motosoto License": "Motosoto",
    _OSI + "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    _OSI + "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    _OSI + "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    _OSI + "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    _OSI + "NASA Open Source Agreement v1.3 (NASA-1.3)": "NASA-1.3",
    _OSI + "Nethack General Public License": "NGPL",
    _OSI + "Nokia Open Source License": "Nokia",
    _OSI + "Open Group Test Suite License": "OGTSL",
    _OSI + "Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    _OSI + "PostgreSQL License": "PostgreSQL",
    _OSI + "Python License (CNRI Python License)": "CNRI-Python",
    _OSI + "Python Software Foundation License": "PSF-2.0",
    _OSI + "Qt Public License (QPL)": "QPL-1.0",
    _OSI + "Ricoh Source Code Public License": "RSCPL",
    _OSI + "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    _OSI + "Sleepycat License": "Sleepycat",
    _OSI + "Sun Industry Standards Source License (SISSL)": "SISSL",
    _OSI + "Sun Public License": "SPL-1.0",
    _OSI + "The Unlicense (Unlicense)": "Unlicense",
    _OSI + "Universal Permissive License (UPL)": "UPL-1.0",
    _OSI + "University of Illinois/NCSA Open Source License": "NCSA",
    _OSI + "Vovida Software License 1.0": "VSL-1.0",
    _OSI + "W3C License": "W3C",
    _OSI + "X.Net License": "Xnet",
    _OSI + "Zero-Clause BSD (0BSD)": "0BSD",
    _OSI + "Zope Public License": "ZPL-2.1",
    _OSI + "zlib/libpng License": "Zlib",
}

# Free text, compared as sets of words (`_words`): order, punctuation, "the", "license" and "v" do not matter.
_ALIASES: dict[str, str] = {
    "MIT": "MIT | Expat | MIT Expat | MIT X11 | X11 MIT | MIT style X11",
    "MIT-0": "MIT 0 | MIT no attribution",
    "BSD-3-Clause": """BSD | BSD 3 | BSD 3 clause | three clause BSD | new BSD | modified BSD | revised BSD
        | BSD new or revised | BSD 3 clause new or revised | new BSD 3 clause | modified BSD 3 clause""",
    "BSD-2-Clause": """BSD 2 | BSD 2 clause | two clause BSD | simplified BSD | FreeBSD | BSD 2 clause simplified
        | simplified BSD 2 clause""",
    "BSD-4-Clause": "BSD 4 clause | original BSD | four clause BSD",
    "0BSD": "BSD 0 clause | zero clause BSD | BSD zero clause 0BSD | free public 1.0.0",
    "Apache-2.0": "Apache | Apache 2 | Apache2 | ASL 2 | ASL | AL2 | Apache ASL 2 | Apache 2 apache2",
    "Apache-1.1": "Apache 1.1",
    "ISC": "ISC | ISCL | ISC ISCL | internet systems consortium | internet systems consortium isc",
    "PSF-2.0": "PSF | PSFL | PSF 2 | Python | Python foundation | Python foundation psf | Python foundation 2",
    "Python-2.0": "Python 2",
    "MPL-2.0": "MPL | MPL 2 | MPL2 | Mozilla public | Mozilla public 2 | Mozilla public mpl 2 | Mozilla 2",
    "MPL-1.1": "MPL 1.1 | Mozilla public 1.1 | Mozilla public mpl 1.1",
    "ZPL-2.1": "ZPL | ZPL 2.1 | Zope public | Zope public 2.1 | Zope public zpl 2.1",
    "ZPL-2.0": "ZPL 2 | Zope public 2",
    "Zlib": "zlib | zlib libpng | libpng zlib",
    "BSL-1.0": "BSL 1 | Boost | Boost 1 | BSL | Boost bsl 1",
    "Unlicense": "Unlicense",
    "CC0-1.0": "CC0 | CC0 1 | creative commons zero | CC0 1 universal | creative commons zero cc0 1 universal",
    "Vim": "Vim",
    "WTFPL": "WTFPL | do what the fuck you want to public | WTFPL 2",
    "Artistic-1.0": "Artistic",
    "Artistic-2.0": "Artistic 2",
    "HPND": "HPND",
    "NCSA": "NCSA | university of illinois ncsa | UIUC",
    "EPL-1.0": "EPL | EPL 1 | eclipse public | eclipse public 1",
    "EPL-2.0": "EPL 2 | eclipse public 2 | eclipse public epl 2",
    "EUPL-1.2": "EUPL | EUPL 1.2 | european union public 1.2 | european union public eupl 1.2",
    "EUPL-1.1": "EUPL 1.1 | european union public 1.1",
    "CDDL-1.0": "CDDL | CDDL 1 | common development and distribution",
    "CECILL-2.1": "CeCILL | CeCILL 2.1",
    "OFL-1.1": "OFL | OFL 1.1 | SIL font | SIL font 1.1 | SIL ofl 1.1",
    "CC-BY-4.0": "CC by | CC by 4 | creative commons attribution 4",
    "CC-BY-SA-4.0": "CC by sa | CC by sa 4",
    "CC-BY-NC-4.0": "CC by nc | CC by nc 4",
    "PostgreSQL": "PostgreSQL",
    "UPL-1.0": "UPL | UPL 1 | universal permissive | universal permissive upl 1",
    PUBLIC_DOMAIN: "public domain",
    PROPRIETARY: """proprietary | commercial | other proprietary | all rights reserved | closed | NVIDIA proprietary
        | private | proprietary and confidential | non commercial | free for non commercial use | unlicensed""",
}

# A name's words that tell no two licences apart.
_NOISE = frozenset(
    re.findall(
        r"\w+", "the a an license licence licensed licenses version v ver software open source gnu clauses osi approved"
    )
)
_LATER = frozenset(["or", "later", "above", "any", "greater", "newer", "at", "your", "option", "and", "up"])
_GNU = (
    (re.compile(r"affero general public"), "agpl"),
    (re.compile(r"(?:library or lesser|lesser or library|lesser|library) general public"), "lgpl"),
    (re.compile(r"general public"), "gpl"),
    (re.compile(r"\b([al]?gpl)v?(?=\d)"), r"\1 "),
    (re.compile(r"\b(asl|mpl|apache|bsd|zpl|psf|epl|eupl)v?(?=\d)"), r"\1 "),
    (re.compile(r"\bv(?=\d)"), ""),
)
_TOKEN = re.compile(r"[a-z0]+[a-z0-9]*|\d+(?:\.\d+)*|\+")
_NO_VERSION = {"gpl": "1", "lgpl": "2", "agpl": "1"}  # the first there was
_VERSIONS = {"gpl": ("1", "2", "3"), "lgpl": ("2", "2.1", "3"), "agpl": ("1", "3")}


def named(name: str) -> str | None:
    """The SPDX id that one name stands for.

    >>> named("The MIT License (MIT)"), named("GNU GPL v3 or later"), named("BSD 3-Clause"), named("see LICENSE")
    ('MIT', 'GPL-3.0-or-later', 'BSD-3-Clause', None)
    """
    words = _words(name)
    return _gnu(words) or _aliases().get(words)  # no alias is all noise, so no words find nothing


def _words(name: str) -> frozenset[str]:
    text = name.lower()
    for pattern, replacement in _GNU:
        text = pattern.sub(replacement, text)
    numbers = (word.removesuffix(".0") if word[0].isdigit() else word for word in _TOKEN.findall(text))
    return frozenset(numbers) - _NOISE


def _gnu(words: frozenset[str]) -> str | None:
    families = words & _VERSIONS.keys()
    if len(families) != 1:
        return None
    (family,) = families
    rest = words - families - {"only"}
    versions = rest & set(_VERSIONS[family])
    rest = rest - versions
    later = "+" in rest or "later" in rest or "newer" in rest or "greater" in rest or "above" in rest
    if len(versions) > 1 or rest - _LATER - {"+"}:
        return None
    if not versions:
        versions, later = frozenset({_NO_VERSION[family]}), True
    (version,) = versions
    full = version if "." in version else f"{version}.0"
    return f"{family.upper()}-{full}-{'or-later' if later else 'only'}"


@functools.cache
def _aliases() -> dict[frozenset[str], str]:
    return {_words(name): spdx_id for spdx_id, names in _ALIASES.items() for name in names.split("|")}

"""`report/index.html`: everything about a dataset on one page that asks for nothing from outside.

One file: style inlined, charts of HTML, CSS and SVG, no script. Every value is made printable and escaped on its way
into the page: names, paths and contents come from strangers. No time and no path of this machine is in it but those of
repositories that could not be read: the same workspace gives the same bytes.
"""

import functools
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from starloom import __version__
from starloom.outside.paths import printable
from starloom.progress import counted, human
from starloom.report import charts, figures
from starloom.report.section import Material, Section
from starloom.report.sections import (
    contamination,
    duplicates,
    funnel,
    head,
    languages,
    licenses,
    making,
    malware,
    opt_outs,
    redacted,
    repositories,
    rules,
)
from starloom.settings import as_json
from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.measured import KINDS
from starloom.workspace.stage import Done, Job, Stage

VERSION = 3
FOLDER, PAGE = "report", "index.html"

SECTIONS: tuple[Section, ...] = tuple(
    module.SECTION
    for module in (
        head,
        funnel,
        rules,
        languages,
        licenses,
        duplicates,
        redacted,
        malware,
        contamination,
        opt_outs,
        repositories,
        making,
    )
)

# The signals that rules ask, and so the pages about rules.
_ASKED = tuple(dict.fromkeys(name for column in COLUMNS.values() for name in column.needs if name != KINDS))

_PACKAGE = Path(__file__).parent
_ASSETS = _PACKAGE.parent / "assets"


def environment() -> jinja2.Environment:
    """Templates of assets/ and sections/; every value printable and escaped, an unknown name an error."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_ASSETS, _PACKAGE, _PACKAGE / "sections"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    found.filters |= {"number": _number, "bytes": _bytes, "counted": counted, "share": charts.share}
    found.globals |= {"bar": charts.bar, "two": charts.two, "Part": charts.Part, "newline": Markup("\n")}
    return found


def _shown(value: Any) -> Any:
    """Text as text that hides nothing; markup of our own as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _number(value: float) -> str:
    return f"{value:,}"


def _bytes(value: float) -> str:
    return human(value, "bytes")


_templates = functools.cache(environment)  # compiled once a process


def render(material: Material) -> str:
    """The whole page."""
    templates = _templates()
    bodies = [
        (section, Markup(templates.get_template(f"{section.name}.html").render(section.look_up(material))))  # noqa: S704
        for section in SECTIONS
    ]
    style = Markup((_ASSETS / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return templates.get_template("report.html").render(style=style, sections=bodies, version=__version__)


def _run(job: Job) -> Done:
    found = figures.headline(job.root, job.engine)
    steps = tuple(figures.funnel(job.root, job.engine))
    page = render(Material(job.root, job.engine, found, steps, job.settings.recipe, job.settings.title)).encode()
    with job.publish() as draft:
        draft.write(PAGE, page)
        draft.facts = as_json(found)
    return Done(0, f"{found.kept_files:,} of {found.listed_files:,} files kept")


def _settings(settings: Any) -> dict[str, Any]:
    return {"recipe": settings.recipe, "title": settings.title, "starloom": __version__}


STAGE = Stage(
    name="report",
    folder=FOLDER,
    version=VERSION,
    reads=(
        *(tables.LISTING, tables.FILES, tables.LEDGER, tables.DATASET),
        *(f"{tables.SIGNALS}/{name}" for name in _ASKED),
    ),
    settings=_settings,
    run=_run,
)

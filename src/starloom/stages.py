"""Every build stage in order, every settings section, and how a workspace's settings come to be: one screen."""

import importlib.resources
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starloom.dedup.signature import MinHashSettings
from starloom.documents import steps
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.languages.choice import LanguageSettings
from starloom.languages.syntax import SyntaxSettings
from starloom.malware.settings import MalwareSettings
from starloom.membership.settings import MembershipSettings
from starloom.privacy.names_model import NamesModelSettings
from starloom.privacy.replace import RedactSettings
from starloom.quality.settings import HEURISTICS, QualitySettings
from starloom.search.settings import SearchSettings
from starloom.settings import load, nearest, read_toml
from starloom.sources.gh_archive import GhArchiveSettings
from starloom.sources.repository import RepositoryProblem, SourceSettings
from starloom.tasks.contamination import ContaminationSettings
from starloom.the_stack.budgets import Budget, check_budgets, merged_budgets
from starloom.the_stack.decide import DecideSettings
from starloom.the_stack.licensing import LicenseSettings
from starloom.the_stack.list import ListSettings
from starloom.the_stack.pair import PairSettings
from starloom.the_stack.rules import Rule, check, merged
from starloom.the_stack.scan import ScanSettings
from starloom.tokens.mixture import MixtureSource, check_mixture
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.tokenizer_stage import TokenizerSettings
from starloom.training.finetune.settings import FinetuneSettings
from starloom.training.settings import TrainSettings
from starloom.workspace.stage import Stage

SETTINGS_FILE = "starloom.toml"


@dataclass(frozen=True)
class Settings:
    """All of starloom.toml; a recipe is the same without `recipe`, `sources` and `engine`, with `extends`."""

    recipe: str = "small"
    title: str = ""  # of a recipe, a sentence
    extends: str = ""  # of a recipe: another one, whose sections and rules these stand over
    sources: tuple[SourceSettings, ...] = ()
    engine: EngineSettings = field(default_factory=EngineSettings)
    list: ListSettings = field(default_factory=ListSettings)
    gh_archive: GhArchiveSettings = field(default_factory=GhArchiveSettings)
    languages: LanguageSettings = field(default_factory=LanguageSettings)
    syntax: SyntaxSettings = field(default_factory=SyntaxSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    names: NamesModelSettings = field(default_factory=NamesModelSettings)
    malware: MalwareSettings = field(default_factory=MalwareSettings)
    contamination: ContaminationSettings = field(default_factory=ContaminationSettings)
    minhash: MinHashSettings = field(default_factory=MinHashSettings)
    pair: PairSettings = field(default_factory=PairSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)
    licenses: LicenseSettings = field(default_factory=LicenseSettings)
    decide: DecideSettings = field(default_factory=DecideSettings)
    rules: tuple[Rule, ...] = ()
    budgets: tuple[Budget, ...] = ()
    redact: RedactSettings = field(default_factory=RedactSettings)
    documents: steps.DocumentsSettings = field(default_factory=steps.DocumentsSettings)
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    mixture: tuple[MixtureSource, ...] = ()
    pack: PackSettings = field(default_factory=PackSettings)
    membership: MembershipSettings = field(default_factory=MembershipSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    finetune: FinetuneSettings = field(default_factory=FinetuneSettings)
    search: SearchSettings = field(default_factory=SearchSettings)


def all_stages() -> tuple[Stage, ...]:
    """In the order of the build."""
    from starloom.documents import collect
    from starloom.the_stack import decide, list, measure, pair, read, write

    return tuple(module.STAGE for module in (list, read, measure, pair, decide, write, collect))


def token_stages() -> tuple[Stage, ...]:
    """What training reads, in order; each has a command of its name."""
    from starloom.tokens import pack, tokenizer_stage

    return (tokenizer_stage.STAGE, pack.STAGE)


def index_stages() -> tuple[Stage, ...]:
    """What `starloom index` makes."""
    from starloom.membership import tiles
    from starloom.search import build

    return (build.STAGE, tiles.STAGE)


def made_stages() -> tuple[Stage, ...]:
    """What is made of the dataset by commands of its own, in the order of their need."""
    from starloom.report import page

    return (page.STAGE, *token_stages(), *index_stages())


def load_settings(root: Path, path: Path | None = None) -> Settings:
    """Recipe, then starloom.toml (or another file of its form) over it: its sections key by key, its rules by name.
    Of a folder `documents/KIND` those of its workspace, with that kind's steps. Raises UserError."""
    if path is None and (kind := steps.kind_of(root)) and not (root / SETTINGS_FILE).exists():
        of_kind: Settings = steps.of_kind(load_settings(root.absolute().parent.parent), kind)
        return of_kind
    path = path or root / SETTINGS_FILE
    own_table = read_toml(path)
    own = load(own_table, Settings, str(path))
    if own.extends:
        raise UserError(f"{path}: `extends` belongs in a recipe", f'here write `recipe = "{own.extends}"`')
    table, recipe = _recipe(own.recipe, root, ())
    settings = replace(
        load(_over(table, own_table), Settings, str(path)),
        rules=merged(recipe.rules, own.rules),
        budgets=merged_budgets(recipe.budgets, own.budgets),
    )
    return _checked(_anchored(settings, root.absolute()), str(path))


def deciding_by(root: Path, what: str) -> Settings:
    """The workspace's settings, with all that decides, and nothing that measures, taken from a recipe or from a file in
    the form of a recipe or of starloom.toml. Raises UserError."""
    here, path = load_settings(root), Path(what).absolute()
    if what not in recipe_names() and path.is_file() and {"recipe", "sources", "engine"} & read_toml(path).keys():
        found = load_settings(root, path)
    else:
        found = recipe_settings(str(path) if path.is_file() else what, root)
    most = min(here.list.max_bytes, found.list.max_bytes)  # what is larger was never read
    settings = replace(
        here,
        list=replace(here.list, max_bytes=most),
        decide=found.decide,
        licenses=found.licenses,
        rules=found.rules,
        budgets=found.budgets,
        redact=found.redact,
        documents=found.documents,
    )
    return _checked(settings, what)


def _anchored(settings: Settings, root: Path) -> Settings:
    """Folders that settings name: a relative path is the workspace's, wherever the command was given."""

    def place(path: str) -> str:
        return path if not path or path.startswith(("hub:", "~")) else str(root / path)

    malware, scorer = settings.malware, settings.quality.scorer
    benchmarks = tuple(map(place, settings.contamination.benchmarks))
    return replace(
        settings,
        quality=replace(settings.quality, scorer=scorer if scorer == HEURISTICS else place(scorer)),
        names=replace(settings.names, model=place(settings.names.model)),
        malware=replace(malware, database=place(malware.database), yara=place(malware.yara)),
        contamination=replace(settings.contamination, benchmarks=benchmarks),
    )


def _checked(settings: Settings, where: str) -> Settings:
    settings = steps.of_source(settings)
    for kind in steps.KINDS:
        check(steps.of_kind(settings, kind).rules)
    _check_measured(settings, where)
    check_mixture(settings.mixture)
    check_budgets(settings.budgets, tuple(rule.name for rule in settings.rules))
    if settings.decide.near_duplicates and settings.decide.near_duplicates < settings.pair.floor:
        raise UserError(
            f"{where}: [decide] near_duplicates = {settings.decide.near_duplicates} is below [pair] floor = "
            f"{settings.pair.floor}, so pairs would be missing",
            f"lower the floor to {settings.decide.near_duplicates}, or raise near_duplicates",
        )
    if settings.decide.near_duplicates and settings.decide.clusters == "stars" and not settings.pair.verify:
        raise UserError(
            f'{where}: [decide] clusters = "stars" needs pairs that are verified, and [pair] verify = false',
            'write `verify = true` under [pair], or `clusters = "components"` under [decide]',
        )
    return settings


def _check_measured(settings: Settings, where: str) -> None:
    """A rule on what is not measured would never drop anything, and nobody would be told."""
    from starloom.the_stack.signals.syntax import SIGNAL

    for rule in check(settings.rules):
        missing = sorted(rule.columns & set(SIGNAL.columns.names))
        if missing and not settings.syntax.enabled:
            raise UserError(
                f"{where}: rule `{rule.rule.name}` asks for {missing[0]}, which is not measured: [syntax] is off",
                "write `enabled = true` under [syntax] (pip install 'starloom[syntax]'), or leave the rule out",
            )


def _recipe(name: str, root: Path, below: tuple[str, ...]) -> tuple[dict[str, Any], Settings]:
    """Table and settings of a recipe over the one it extends."""
    table, where = read_recipe(name, root)
    settings = load(table, Settings, where)
    for key in ("recipe", "sources", "engine", "gh_archive"):
        if key in table:
            raise UserError(f"{where}: `{key}` has no place in a recipe", f"write it into {root / SETTINGS_FILE}")
    if not settings.extends:
        return table, settings
    if settings.extends in (*below, name):
        raise UserError(f"{where}: it extends itself", "name another recipe in `extends`")
    base_table, base = _recipe(settings.extends, root, (*below, name))
    return _over(base_table, table), replace(
        settings,
        rules=merged(base.rules, settings.rules),
        budgets=merged_budgets(base.budgets, settings.budgets),
    )


def _over(base: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """`table` over `base`: tables key by key, at every level, everything else as a whole."""
    found = dict(base)
    spelled = {key.replace("-", "_"): key for key in base}
    for key, value in table.items():
        below = found.pop(spelled.get(key.replace("-", "_"), key), None)
        both = isinstance(value, dict) and isinstance(below, dict)
        found[key] = _over(below, value) if both else value
    return found


def recipe_settings(name: str, root: Path = Path()) -> Settings:
    """A shipped recipe, or a TOML file relative to `root`, as it stands with all it extends. Raises UserError."""
    table, found = _recipe(name, root, ())
    return replace(load(table, Settings, f"recipe {name}"), rules=found.rules, budgets=found.budgets)


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with Starloom."""
    folder = importlib.resources.files("starloom") / "recipes"
    return tuple(sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml")))


def read_recipe(name: str, root: Path) -> tuple[dict[str, Any], str]:
    """(table, name for errors) of a shipped recipe, or of a TOML file relative to the workspace."""
    if name in recipe_names():
        path = Path(str(importlib.resources.files("starloom") / "recipes" / f"{name}.toml"))
        return read_toml(path), f"recipe {name}"
    path = root / name
    if name.endswith(".toml") and path.is_file():
        return read_toml(path), str(path)
    raise UserError(
        f"recipe `{name}` is not known",
        nearest(name, recipe_names()) + "; or give the path of a .toml file in the workspace",
    )


_TEMPLATE = """\
# A Starloom workspace. `starloom build` reads this file; an unknown key is an error.

# What is kept and why: one of the recipes that come with Starloom ({recipes}), or the path of a .toml file here.
recipe = "{recipe}"

# Where code comes from: a git repository or its URL, a folder of repositories, a plain folder, an archive, a file,
# `@list.txt`, `installed`, `pypi:NAME`, `npm:NAME`, `debian:NAME`, `corpus:NAME`, `swh:EXPORT`, `dataset:FOLDER`.
# rights = "owned": your own code; never dropped for its licence, and the dataset is marked as not publishable.
{sources}
# Sections and rules written here stand over those of the recipe. For example:
#
# [list]
# max_bytes = 1048576          # larger files are dropped unread
#
# [decide]
# near_duplicates = 0.7        # Jaccard similarity from which one of two files goes; 0: none
# held_out = 0.05              # share of repositories kept apart for evaluation
#
# [[rules]]                    # a rule of the same name replaces the recipe's; drop = "false" switches it off
# name = "no-tests"
# drop = "is_test"             # columns: `starloom ledger`; what a limit would keep: `starloom tune RULE`
#
# [[budgets]]                  # no more than so many bytes of some files, those of the lowest hash
# name = "json"
# where = "language = 'JSON'"
# bytes = 100_000_000
#
# [engine]
# workers = 2                  # default: one per core
# memory = "4GB"               # of the query engine; default: half of what is free
{extra}"""


def initialise(
    root: Path, sources: tuple[str, ...], recipe: str, rights: str, extra: str = ""
) -> tuple[Path, list[RepositoryProblem]]:
    """Writes starloom.toml into the folder `root`, made if need be: its path, and what of the sources cannot be read as
    it is now. Raises UserError when there is one, or when a source or the recipe does not exist."""
    from starloom.engine.local import LocalEngine
    from starloom.sources.git.folder import is_git
    from starloom.sources.open import absolute, open_source, own_output
    from starloom.sources.repository import Place
    from starloom.workspace.atomic import replace_file
    from starloom.workspace.lock import FOLDER
    from starloom.workspace.operations import explained, make_parents

    path = root.absolute() / SETTINGS_FILE
    if path.exists():
        raise UserError(f"{path} exists already", "edit it, or choose another folder")
    read_recipe(recipe, root)
    folder = path.parent / FOLDER
    here = Place(folder / "fetched", LocalEngine(EngineSettings(), folder))
    blocks = []
    problems: list[RepositoryProblem] = []
    places: set[str] = set()
    for source in sources:
        place = absolute(source, Path.cwd())
        if place in places:
            raise UserError(f"{source} is named twice", "name each source once: every file of it would be listed twice")
        places.add(place)
        if Path(place).resolve() == root.resolve() and not is_git(root):
            raise own_output(root)
        problems += open_source(SourceSettings(place, rights), here).problems  # what would be refused later is told now
        blocks.append(f"[[sources]]\npath = {_toml(place)}\nrights = {_toml(rights)}\n")
    text = _TEMPLATE.format(recipes=", ".join(recipe_names()), recipe=recipe, sources="\n".join(blocks), extra=extra)
    with explained(path):
        make_parents(path.parent)
    replace_file(path, text.encode())
    return path, problems


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are valid in it."""
    return json.dumps(text, ensure_ascii=True)

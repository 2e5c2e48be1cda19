"""Caption: what a figure shows and how it came about, in words that can stand under it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from dynamics import registry
from dynamics.config import SETTINGS, VERSION, Config
from dynamics.figure import DASHES
from dynamics.kinds import called

MOST_NAMED = 4  # settings in a legend
MOST_VALUES = 6  # of one setting in a caption
PAPER = "Kwon et al. (2024)"
BIBTEX = """@inproceedings{kwon2024efficient,
  title     = {Efficient Compression of Overparameterized Deep Models through Low-Dimensional
               Learning Dynamics},
  author    = {Kwon, Soo Min and Zhang, Zekai and Song, Dogyoon and Balzano, Laura and Qu, Qing},
  booktitle = {Proceedings of the 27th International Conference on Artificial Intelligence and
               Statistics},
  series    = {Proceedings of Machine Learning Research},
  volume    = {238},
  year      = {2024},
  eprint    = {2311.05061}
}
"""
DASHED = {"solid": "solid", "dash": "dashed", "dot": "dotted", "dashdot": "dash-dotted"}


@dataclass(frozen=True)
class About:
    """What a file says of itself: title, caption, where it can be made again, and the paper."""

    title: str
    caption: str
    source: str
    bibtex: str = BIBTEX

    def to_dict(self) -> dict[str, str]:
        """Ready for JSON and for a file's own fields."""
        return dataclasses.asdict(self)


def about(configs: Sequence[Config], panel: str, link: str = "") -> About:
    """Of a chart of one run, ``figure`` or ``figure/network``, or of a series of several runs.

    ``link`` is the address of the page with these settings; without it a command line stands there.
    """
    figure, _, network = panel.partition("/")
    known = {**registry.options("measurements"), **registry.options("figures")}.get(figure)
    shown = known or f"{figure.replace('_', ' ').capitalize()} of {len(configs)} runs."
    networks = (
        [network] if network else sorted({n for each in configs for n in each.networks})[::-1]
    )
    flat = not (_is_figure(figure) and registry.constant("figures", figure, "KIND"))
    told = ", ".join(called(each) + (f" ({_dashed(each)})" if flat else "") for each in networks)
    sentences = [shown, _losses(configs) if "loss" in figure else "", f"Networks: {told}."]
    title = figure.replace("_", " ").capitalize() + (f", {network}" if network else "")
    count = f"{len(configs)} run{'s' if len(configs) > 1 else ''}"
    return signed(title, sentences, configs, count, link)


def signed(
    title: str, sentences: Sequence[str], configs: Sequence[Config], count: str, source: str = ""
) -> About:
    """What a figure shows, in sentences, with all that says where it comes from.

    ``count`` says what N counts, and ``source`` what draws it again: an address, or a command line,
    without which those of the runs stand there.
    """
    source = source or " ; ".join(command(config) for config in configs)
    made = f"DLN Explorer, version {VERSION}; networks and method of {PAPER}. {source}"
    told = [*sentences, settings(configs), seeds(configs), f"N = {count}.", made]
    return About(title, " ".join(filter(None, told)), source)


def _is_figure(name: str) -> bool:
    return name in registry.options("figures")


# By what a problem shows of its matrix: what gradient descent minimizes, what is held out.
LOSSES = {
    "all": ("½ mean square over all entries", "the same"),
    "entries": ("½ mean square over the observed entries", "that over all others"),
    "list": ("½ mean square over the ratings that are seen", "that over the others"),
    "sums": ("½ Σ (⟨A_i, W⟩ − y_i)²", "‖W − M*‖_F / ‖M*‖_F"),
}


def _losses(configs: Sequence[Config]) -> str:
    """What both losses are, where all runs have the same."""
    kinds = {
        "all"
        if each.observed == 1
        else registry.constant("problems", each.problem, "SEEN", "entries")
        for each in configs
    }
    if len(kinds) > 1:
        return ""
    train, test = LOSSES[kinds.pop()]
    return f"Train loss: {train}; test loss: {test}."


ALWAYS = ("rank", "observed", "measurements", "depth", "rank_bound", "init_scale", "learning_rate",
          "alpha", "optimizer", "steps", "dtype")  # fmt: skip
NEVER = ("problem", "rows", "cols", "networks", "device", "record_every", "recording")


def _dashed(network: str) -> str:
    dash = DASHES.get(network, "dot")
    return DASHED.get(dash, "long-dashed" if dash.startswith("long") else "dash pattern")


def settings(configs: Sequence[Config]) -> str:
    """What was learned and how, symbol by symbol; all values of a setting that differs."""
    learned = " and ".join(sorted({f"{c.shape[0]} × {c.shape[1]} {c.problem}" for c in configs}))
    read = {name for c in configs for name in registry.constant("problems", c.problem, "READS")}
    parts = []
    for name, field in SETTINGS.items():
        about = field.metadata
        values = list(dict.fromkeys(getattr(config, name) for config in configs))
        silent = name in NEVER or about["group"] == "seeds"
        silent |= about["group"] == "problem" and name not in read
        if silent or (values == [field.default] and name not in ALWAYS):
            continue
        texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
        if len(values) > MOST_VALUES and not isinstance(values[0], str):
            texts = [f"{min(values):g} to {max(values):g} ({len(values)} values)"]
        words = ", ".join(texts).replace("_", " ")
        parts.append(f"{about['symbol'] or about['title'].lower()} = {words}")
    return f"{learned.capitalize()}: {'; '.join(parts)}."


def seeds(configs: Sequence[Config]) -> str:
    """The seeds of everything that was drawn."""
    names = ("target", "data", "noise", "init")
    each = [[getattr(config, f"seed_{name}") for config in configs] for name in names]
    said = (
        f"{name} {', '.join(map(str, dict.fromkeys(values)))}"
        for name, values in zip(names, each, strict=True)
    )
    return f"Seeds: {'; '.join(said)}."


def labels(configs: list[Config]) -> list[str]:
    """What tells each run from the others: the few settings in which they differ, else its key.

    Which networks it has is not said: every line has the name of its own.
    """
    values = [config.canonical().to_dict() for config in configs]
    names = [name for name in SETTINGS if len({each[name] for each in values}) > 1]
    drawn = [name for name in names if name.startswith("seed_")]
    names = [name for name in names if name not in (*drawn, "networks")]
    if "problem" in names or len(names) > MOST_NAMED:  # then nearly all else differs, too
        return [f"{config.problem} {config.key[:6]}" for config in configs]
    told = []
    for each in values:
        parts = [f"{_symbol(name)} = {_value(each[name])}" for name in names]
        told.append(", ".join([*parts, *_seeds([each[name] for name in drawn])]))
    unique = (names or drawn) and len(set(told)) == len(told)
    return told if unique else [config.key[:6] for config in configs]


def _seeds(given: Sequence[int]) -> list[str]:
    """Those in which runs differ, in a few signs: ``seed 3``, or ``seeds 3, 8, 3``."""
    if len(set(given)) > 1:
        return [f"seeds {', '.join(map(str, given))}"]
    return [f"seed {given[0]}"] if given else []


def _value(value: object) -> object:
    return "none" if value == "" else value


def _symbol(name: str) -> str:
    return SETTINGS[name].metadata["symbol"] or SETTINGS[name].metadata["title"].lower()


def command(config: Config) -> str:
    """The command line that trains this run."""
    base = Config.from_dict({"problem": config.problem}).to_dict()
    values = config.canonical().to_dict()
    named = [name for name in values if values[name] != base[name] or name == "problem"]
    flags = (f"--{name.replace('_', '-')} {values[name]}" for name in named)
    return f"python -m dynamics run {' '.join(flags)}"

"""Captions: what a figure shows and how it was made, in words for under the figure."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from dynamics.core import registry, traits
from dynamics.core.config import VERSION, Config
from dynamics.core.description import command, seeds, settings
from dynamics.core.traits import full_name
from dynamics.core.words import count
from dynamics.draw.look import DASHES
from dynamics.draw.waterfall import reading
from dynamics.findings.attribution import Attribution, sentences

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
    """A file's title and caption, the source that makes it again, and the paper's citation."""

    title: str
    caption: str
    source: str
    bibtex: str = BIBTEX

    def to_dict(self) -> dict[str, str]:
        """A dictionary for JSON and for a file's own fields."""
        return dataclasses.asdict(self)


def about(configs: Sequence[Config], panel: str, link: str = "", more: Sequence[str] = ()) -> About:
    """The words of one run's chart, or of one series of several runs.

    Args:
        configs: the settings of the runs.
        panel: ``chart`` or ``chart/network``, or a series.
        link: address of the page with these settings; the command line if empty.
        more: further sentences.
    """
    figure, _, network = panel.partition("/")
    meaning = {**registry.options("measurements"), **registry.options("charts")}.get(figure)
    shown = meaning or f"{figure.replace('_', ' ').capitalize()} of {count(len(configs), 'run')}."
    networks = [network]
    if not network:
        networks = sorted({name for config in configs for name in config.networks}, reverse=True)
    has_lines = not _is_figure(figure) or traits.chart(figure).kind == "lines"
    named = ", ".join(
        f"{full_name(name)} ({_dashed(name)})" if has_lines else full_name(name)
        for name in networks
    )
    sentences = [shown, _losses(configs) if "loss" in figure else "", f"Networks: {named}.", *more]
    title = figure.replace("_", " ").capitalize() + (f", {network}" if network else "")
    return signed(title, sentences, configs, count(len(configs), "run"), link)


def signed(
    title: str, sentences: Sequence[str], configs: Sequence[Config], count: str, source: str = ""
) -> About:
    """The words of a figure: ``sentences``, settings, seeds, N and source.

    Args:
        title: the figure's title.
        sentences: what the figure shows.
        configs: the settings of its runs.
        count: what N counts, such as ``3 runs``.
        source: an address or a command line that draws it again; the runs' command lines if empty.
    """
    source = source or " ; ".join(command(config) for config in configs)
    origin = f"DLN Explorer, version {VERSION}; networks and method of {PAPER}. {source}"
    words = [*sentences, settings(configs), seeds(configs), f"N = {count}.", origin]
    return About(title, " ".join(filter(None, words)), source)


def _is_figure(name: str) -> bool:
    return name in registry.options("charts")


# The training loss and the test loss, by what a problem shows of its matrix.
LOSSES = {
    "all": ("½ mean square over all entries", "the same"),
    "entries": ("½ mean square over the observed entries", "the same over all others"),
    "list": ("½ mean square over the ratings that are seen", "the same over the others"),
    "images": ("mean cross-entropy of training images", "the same of held-out images"),
    "sums": ("½ Σ (⟨A_i, W⟩ − y_i)²", "‖W − M*‖_F / ‖M*‖_F"),
}


def _losses(configs: Sequence[Config]) -> str:
    """The definitions of both losses; empty if the runs have different definitions."""
    kinds = {
        "all"
        if config.observed == 1 and "observed" in traits.problem(config.problem).reads
        else traits.problem(config.problem).seen
        for config in configs
    }
    if len(kinds) > 1:
        return ""
    train, test = LOSSES[kinds.pop()]
    return f"Train loss: {train}; test loss: {test}."


def _dashed(network: str) -> str:
    dash = DASHES.get(network, "dot")
    return DASHED.get(dash, "long-dashed" if dash.startswith("long") else "dash pattern")


def of_attribution(attribution: Attribution, configs: Sequence[Config], link: str = "") -> About:
    """The words of an attribution's chart; ``link`` is the address of its page."""
    aim = (
        "the tolerance"
        if attribution.level == "stop"
        else f"a recovery error of {attribution.level}"
    )
    shown = f"What the compressed network's lead on the way to {aim} is made of."
    plain = dataclasses.replace(attribution.config, networks=Config().networks)
    again = command(plain).replace("dynamics run", "dynamics attribution")
    again += f" --seeds {attribution.seeds} --level {attribution.level}"
    size = count(attribution.seeds, "seed")
    words = [shown, reading(attribution), sentences(attribution)[0]]
    return signed("What makes it cheaper", words, configs, size, link or again)

"""Captions: what a figure shows and how it was made, in words for under the figure."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from dynamics.core import registry, traits
from dynamics.core.config import VERSION, Config
from dynamics.core.description import command, seeds, settings
from dynamics.core.sizes import seen, shown
from dynamics.core.traits import full_name
from dynamics.core.words import count
from dynamics.core.words import title as title_of
from dynamics.draw.look import DASHES
from dynamics.draw.panel import NUMBERS
from dynamics.draw.waterfall import reading
from dynamics.findings import attribution, causes
from dynamics.findings.attribution import Attribution
from dynamics.findings.causes import Split
from dynamics.theory.plateau import HIDDEN

PAPER = "Kwon et al. (2024)"
BIBTEX = f"""@inproceedings{{kwon2024efficient,
  title     = {{Efficient Compression of Overparameterized Deep Models through Low-Dimensional
               Learning Dynamics}},
  author    = {{Kwon, Soo Min and Zhang, Zekai and Song, Dogyoon and Balzano, Laura and Qu, Qing}},
  booktitle = {{Proceedings of the 27th International Conference on Artificial Intelligence and
               Statistics}},
  series    = {{Proceedings of Machine Learning Research}},
  volume    = {{238}},
  year      = {{2024}},
  eprint    = {{2311.05061}}
}}
@software{{dln_explorer,
  title     = {{DLN Explorer}},
  author    = {{{{The DLN Explorer authors}}}},
  version   = {{{VERSION}}},
  license   = {{MIT}}
}}
"""
DASHED = {"solid": "solid", "dash": "dashed", "dot": "dotted", "dashdot": "dash-dotted"}


@dataclass(frozen=True)
class About:
    """A file's title, its caption, the command that makes it again, and what to cite."""

    title: str
    caption: str
    source: str
    bibtex: str = BIBTEX

    def to_dict(self) -> dict[str, str]:
        """A dictionary for JSON and for a file's own fields."""
        return dataclasses.asdict(self)


def about(configs: Sequence[Config], panel: str, more: Sequence[str] = ()) -> About:
    """The words of one run's chart, or of one series of several runs.

    Args:
        configs: the settings of the runs.
        panel: ``chart`` or ``chart/network``, or a series.
        more: further sentences.
    """
    figure, _, network = panel.partition("/")
    meaning = {**registry.options("measurements"), **registry.options("charts")}.get(figure)
    given = network if figure == NUMBERS else "" if meaning or network else figure
    shown = meaning or f"{given or figure}, as the program gave it."
    networks = [network]
    if not network:
        networks = sorted({name for config in configs for name in config.networks}, reverse=True)
    # A network that is alone in its chart is solid, or has dashes for other things.
    has_lines = not network and (not _is_figure(figure) or traits.chart(figure).kind == "lines")
    named = ", ".join(
        f"{full_name(name)} ({_dashed(name)})" if has_lines else full_name(name)
        for name in networks
    )
    words = [_losses(configs) if "loss" in figure else "", _standing(configs, figure)]
    of = [] if given else [f"Networks: {named}."]
    sentences = [_of_classes(shown, configs), *words, *of, *more]
    title = given or title_of(figure) + (f", {network}" if network else "")
    return signed(title, sentences, configs, count(len(configs), "run"))


def signed(
    title: str, sentences: Sequence[str], configs: Sequence[Config], count: str, source: str = ""
) -> About:
    """The words of a figure: ``sentences``, settings, seeds, N and source.

    Args:
        title: the figure's title.
        sentences: what the figure shows.
        configs: the settings of its runs.
        count: what N counts, such as ``3 runs``.
        source: the command line that draws it again; those of the runs if empty.
    """
    source = source or " ; ".join(command(config) for config in configs)
    ours = any(not config.watched for config in configs)
    method = f"; networks and method of {PAPER}" if ours else ""
    origin = f"DLN Explorer, version {VERSION}{method}. {source}"
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
    "inputs": ("½ mean square over all entries of (W − M*) X", "½ mean square of those of W − M*"),
    "sums": ("½ Σ (⟨A_i, W⟩ − y_i)²", "‖W − M*‖_F / ‖M*‖_F"),
}


def _losses(configs: Sequence[Config]) -> str:
    """The definitions of both losses; empty if the runs have different definitions."""
    if any(config.watched for config in configs):
        return ""
    kinds = {
        "all"
        if shown(config) == 1 and "observed" in traits.problem(config.problem).reads
        else seen(config)
        for config in configs
    }
    if len(kinds) > 1:
        return ""
    train, test = LOSSES[kinds.pop()]
    return f"Train loss: {train}; test loss: {test}."


def _of_classes(shown: str, configs: Sequence[Config]) -> str:
    """What a figure shows; where classes are told apart there is no target."""
    return shown.replace("the target's and theory's", "theory's") if _classes(configs) else shown


def _standing(configs: Sequence[Config], figure: str) -> str:
    """What theory's course of singular values is, where classes are told apart; else empty."""
    if figure != "singular_values" or not _classes(configs):
        return ""
    if any(config.place != "head" for config in configs):
        return HIDDEN
    return "Where theory has a course, it ends with the plateau, and its times are a forecast."


def _classes(configs: Sequence[Config]) -> bool:
    return all(config.contents for config in configs)


def _dashed(network: str) -> str:
    dash = DASHES.get(network, "dot")
    return DASHED.get(dash, "long-dashed" if dash.startswith("long") else "dash pattern")


def of_attribution(result: Attribution | Split, configs: Sequence[Config]) -> About:
    """The words of an attribution's chart."""
    if isinstance(result, Split):
        level, aim = f"{result.accuracy:g}", causes.aim(result)
        first = causes.sentences(result)[0]
    else:
        level, aim = result.level, f"a recovery error of {result.level}"
        aim = "the tolerance" if level == "stop" else aim
        first = attribution.sentences(result)[0]
    plain = dataclasses.replace(result.config, networks=Config().networks)
    again = command(plain).replace("dynamics run", "dynamics attribution")
    again += f" --seeds {result.seeds} --level {level}"
    shown = f"What the compressed network's lead on the way to {aim} is made of."
    words = [shown, reading(result), first]
    size = count(result.seeds, "seed")
    return signed("What makes it cheaper", words, configs, size, again)

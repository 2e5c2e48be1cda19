"""Description: the settings of runs in words, and the command that trains them again."""

from collections.abc import Sequence
from typing import Any

from dynamics.core import registry, traits
from dynamics.core.config import ELSEWHERE, SEEDS, SETTINGS, Config

MOST_NAMED = 4  # most settings that a legend names
MOST_VALUES = 6  # most values of one setting that a caption lists

# Settings that a caption names even at their defaults, and settings that it never names.
ALWAYS = ("rank", "observed", "measurements", "depth", "rank_bound", "init_scale", "learning_rate",
          "alpha", "optimizer", "steps", "dtype")  # fmt: skip
ALWAYS_OF_CLASSES = ("backbone", "place", "activation", "features", "backbone_rate", "batch")
NEVER = ("problem", "rows", "cols", "networks", "device", "record_every", "recording")


def settings(configs: Sequence[Config]) -> str:
    """What the runs learn and how: the symbol and the value of each setting, or the title.

    A setting in which the runs differ has all its values, or their range if they are many.
    """
    watched = dict.fromkeys(config.title for config in configs if config.watched)
    configs = [config for config in configs if not config.watched]
    told = f"Recorded from {', '.join(watched)}." if watched else ""
    if not configs:
        return told
    learned = " and ".join(sorted(set(map(_learned, configs))))
    read = {name for c in configs for name in traits.problem(c.problem).reads}
    always = {*ALWAYS, *(ALWAYS_OF_CLASSES if "backbone" in read else ())}
    parts = []
    for name, about in SETTINGS.items():
        values = list(dict.fromkeys(getattr(config, name) for config in configs))
        unread = about.group == "problem" and name not in read
        silent = name in NEVER or about.group == "seeds" or unread
        if silent or (values == [about.default] and name not in always):
            continue
        texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
        if len(values) > MOST_VALUES and not isinstance(values[0], str):
            texts = [f"{min(values):g} to {max(values):g} ({len(values)} values)"]
        words = ", ".join(texts).replace("_", " ")
        parts.append(f"{about.symbol or about.title.lower()} = {words}")
    return f"{told} {learned}: {'; '.join(parts)}.".strip()


def _learned(config: Config) -> str:
    """What a run learns, with the matrix's sides if it recovers one, else by its headline."""
    if known := config.contents:
        channels, height, width = known.shape
        size = f"{channels} numbers" if height == width == 1 else f"{height} × {width} pixels"
        name = registry.options("problems")[config.problem].partition(":")[0]
        images = config.images or known.images - round(config.validation * known.images)
        return f"{name}, {known.classes} classes, {images:,} training images of {size}"
    return f"{config.shape[0]} × {config.shape[1]} {config.problem}"


def seeds(configs: Sequence[Config]) -> str:
    """The seeds of everything that is drawn at random; of a backbone only where there is one.

    Empty if other programs trained all runs.
    """
    parts = []
    configs = [config for config in configs if not config.watched]
    if not configs:
        return ""
    backbones = any(traits.problem(config.problem).classifies for config in configs)
    for name in SEEDS if backbones else SEEDS[:-1]:
        values = dict.fromkeys(getattr(config, name) for config in configs)
        parts.append(f"{name.removeprefix('seed_')} {', '.join(map(str, values))}")
    return f"Seeds: {'; '.join(parts)}."


def labels(configs: list[Config]) -> list[str]:
    """The few settings in which each run differs from the others, else its key.

    The networks are left out, because every line has the name of its network.
    """
    if any(config.watched for config in configs):
        titles = [config.title or config.problem for config in configs]
        return [
            title if titles.count(title) == 1 else f"{title} {config.key[:6]}"
            for title, config in zip(titles, configs, strict=True)
        ]
    runs = [config.canonical().to_dict() for config in configs]
    names = [name for name in SETTINGS if len({values[name] for values in runs}) > 1]
    seed_names = [name for name in names if name.startswith("seed_")]
    names = [name for name in names if name not in (*seed_names, "networks")]
    if "problem" in names or len(names) > MOST_NAMED:  # then nearly all other settings differ, too
        return [f"{config.problem} {config.key[:6]}" for config in configs]
    texts = []
    for values in runs:
        parts = [f"{_symbol(name)} = {_value(values[name])}" for name in names]
        texts.append(", ".join([*parts, *_seeds([values[name] for name in seed_names])]))
    unique = (names or seed_names) and len(set(texts)) == len(texts)
    return texts if unique else [config.key[:6] for config in configs]


def _seeds(given: Sequence[int]) -> list[str]:
    """The seeds of one run in short: ``seed 3`` if all are equal, else ``seeds 3, 8, 3``.

    Returns a list of one text, or an empty list if no seeds are given.
    """
    if len(set(given)) > 1:
        return [f"seeds {', '.join(map(str, given))}"]
    return [f"seed {given[0]}"] if given else []


def _value(value: object) -> object:
    return "none" if value == "" else value


def _symbol(name: str) -> str:
    return SETTINGS[name].symbol or SETTINGS[name].title.lower()


def command(config: Config) -> str:
    """The command line that trains this run, or why there is none."""
    if config.watched:
        return ELSEWHERE
    base = _base(config)
    values = config.canonical().to_dict()
    named = [name for name in values if values[name] != base[name] or name == "problem"]
    flags = (f"--{name.replace('_', '-')} {values[name]}" for name in named)
    return f"python -m dynamics run {' '.join(flags)}"


def _base(config: Config) -> dict[str, Any]:
    """The settings that a run's problem suggests, and no data set."""
    base = Config.from_dict({"problem": config.problem, "dataset": config.dataset})
    return base.to_dict() | {"dataset": ""}


def differences(config: Config, base: Config | None) -> dict[str, str]:
    """The settings of ``config`` that differ from ``base``, or from what its problem suggests."""
    values = config.to_dict()
    base_values = base.to_dict() if base else _base(config)
    named = {name for name in values if values[name] != base_values[name]}
    if base is None and config.problem != SETTINGS["problem"].default:
        named.add("problem")
    return {name: text_of(values[name]) for name in SETTINGS if name in named}


def text_of(value: Any) -> str:
    """A setting's value as a flag or an address writes it."""
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)

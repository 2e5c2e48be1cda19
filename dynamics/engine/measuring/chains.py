"""Chains: the weights that a user names, checked and given the names that charts show."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from dynamics.core import registry

MOST = 24  # most matrices of a run
SHOWN = 8  # most weights that a sentence lists
EXAMPLE = 'factors=[["head.0", "head.1"]] or names=["head.0"]'


def chains(model: Any, factors: Any = (), names: Any = ()) -> dict[str, list[str]]:
    """The parameters of each matrix that is watched, by the name of the matrix.

    Args:
        model: a module of PyTorch.
        factors: lists of layers that are applied one after the other without anything in between;
            each list is a chain, whose product W_L ⋯ W_1 is one matrix.
        names: single layers.

    Each layer is a parameter or module of the model, or its name.

    Raises:
        ValueError: with one sentence on what is wrong and what would be right.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch.nn.Module; {_kind(model)} was given.")
    weights = _weights(model)
    told = f"{EXAMPLE}; the weights of this model are {_listed(weights)}"
    for argument, value in (("factors", factors), ("names", names)):
        if not isinstance(value, list | tuple):
            raise ValueError(f"{argument} must be a list, such as {told}.")
    if not (factors or names):
        raise ValueError(f"Name what to watch: {told}.")
    found: dict[str, list[str]] = {}
    for number, chain in enumerate(factors):
        place = f"factors[{number}]"
        if not isinstance(chain, list | tuple) or len(chain) < 2:
            raise ValueError(f"{place} must be a list of two layers or more, such as {told}.")
        parts = [_named(model, weights, layer, place) for layer in chain]
        _check_sizes(parts, weights, place)
        found[_title(_common(parts), found)] = parts
    for number, layer in enumerate(names):
        name = _named(model, weights, layer, f"names[{number}]")
        found[_title(name.removesuffix(".weight"), found)] = [name]
    if len(found) > MOST:
        raise ValueError(f"At most {MOST} matrices are watched; {len(found)} were named.")
    return found


def _weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters with rows and columns, by name; a convolution's has a row for each output."""
    every = dict(model.named_parameters(remove_duplicate=False))
    return {name: weight for name, weight in every.items() if _empty(weight) or weight.ndim >= 2}


def _named(model: nn.Module, weights: Mapping[str, nn.Parameter], layer: Any, place: str) -> str:
    """The parameter that a user means."""
    for name, weight in weights.items():
        module = name.removesuffix(".weight")
        meant: tuple[Any, ...] = (name, module)
        if not isinstance(layer, str):
            meant = (id(weight), *([id(model.get_submodule(module))] if module != name else []))
        if (layer if isinstance(layer, str) else id(layer)) in meant:
            _check_kind(name, weight, place)
            return name
    what = f"{layer!r}" if isinstance(layer, str) else _kind(layer)
    raise ValueError(f"{place}: {what} is no weight of the model, which has {_listed(weights)}.")


def _check_kind(name: str, weight: Tensor, place: str) -> None:
    if weight.device.type == "meta" or _empty(weight):
        raise ValueError(f"{place}: {name} has no numbers yet; watch it once it has.")
    if weight.layout != torch.strided or not weight.is_floating_point():
        kind = str(weight.dtype).removeprefix("torch.")
        raise ValueError(
            f"{place}: {name} must be a dense matrix of real numbers; it is {weight.layout} of "
            f"{kind}."
        )
    if not weight.numel():
        raise ValueError(f"{place}: {name} is empty ({_size(weight)}).")


def _check_sizes(parts: Sequence[str], weights: Mapping[str, nn.Parameter], place: str) -> None:
    """Each layer takes as many numbers as the one before gives."""
    for name in parts:
        if weights[name].ndim > 2:
            raise ValueError(
                f"{place}: {name} ({_size(weights[name])}) is a convolution, which is no factor of "
                "a product; name it in names."
            )
    for before, after in pairwise(parts):
        if weights[after].shape[1] != weights[before].shape[0]:
            raise ValueError(
                f"{place}: {after} ({_size(weights[after])}) takes {weights[after].shape[1]} "
                f"numbers, but {before} ({_size(weights[before])}) before it gives "
                f"{weights[before].shape[0]}; name the layers in the order in which they are "
                "applied."
            )


def _common(parts: Sequence[str]) -> str:
    """The module in which all factors are, such as ``head``; else ``product``."""
    paths = [name.split(".")[:-1] for name in parts]
    shared = []
    for same in zip(*paths, strict=False):
        if len(set(same)) > 1:
            break
        shared.append(same[0])
    return ".".join(shared) or "product"


def _title(name: str, taken: Mapping[str, Any]) -> str:
    """A name without dots, which the columns of a record have between their parts."""
    plain = re.sub(r"\W", "_", name)
    if plain[0].isdigit():
        plain = f"layer_{plain}"
    if plain in registry.options("networks") or plain == "model":  # these mean something else
        plain += "_weight"
    number = 2
    title = plain
    while title in taken:
        title = f"{plain}_{number}"
        number += 1
    return title


def _listed(weights: Mapping[str, Tensor]) -> str:
    parts = [f"{name} ({_size(weight)})" for name, weight in weights.items()]
    more = len(parts) - SHOWN
    return ", ".join(parts[:SHOWN]) + (f" and {more} more" if more > 0 else "") or "none"


def _empty(weight: Tensor) -> bool:
    """Whether a lazy layer has not seen its first batch."""
    return isinstance(weight, nn.UninitializedParameter)


def _size(weight: Tensor) -> str:
    if _empty(weight):
        return "of no size yet"
    return " × ".join(map(str, weight.shape))


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"

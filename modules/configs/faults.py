"""Faults of a config, found from the signatures of the constructors before anything is built.

The walk follows AllenNLP's `FromParams`: a registered name picks a class, whose constructor names
the keys and their types. Where AllenNLP takes anything (`**kwargs`, a `from_params` of another
package, a type that is not built from a config), so does the walk.
"""

import collections.abc
import inspect
from typing import Any, Callable, Dict, Iterator, List, Literal, NamedTuple, Optional, Tuple, Union

from allennlp.commands.train import TrainModel
from allennlp.common import FromParams, Lazy, Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.common.from_params import can_construct_from_params, infer_method_params
from allennlp.modules import Seq2SeqEncoder
from allennlp.training import GradientDescentTrainer

from ..old_configs import refuse_old_form, refuse_threshold
from .words import nearest, noun, shown

# Read before the run is built from the rest.
_TOP = ("distributed", "evaluation", "include_in_archive")
_SEEDS = ("random_seed", "numpy_seed", "pytorch_seed")
_DISTRIBUTED = ("cuda_devices", "num_nodes", "primary_address", "primary_port")
# Those that the trainer `minimax` trains.
_NETWORKS = ("score_network", "task_network")
# What a `Lazy` argument is given when it is constructed, in these packages.
_HANDED_DOWN = {
    *("vocab", "model", "instances", "data_loader", "validation_data_loader", "serialization_dir"),
    *("local_rank", "world_size", "distributed", "cuda_device", "batch_weight_key", "reader"),
    *("data_path", "optimizer", "num_epochs", "num_steps_per_epoch", "model_parameters"),
    *("parameters", "output_space", "task_network", "score_network", "oracle_value", "loss"),
    *("num_labels", "encoding_size", "encoder", "trainer"),
}
_SIZES = ("input_dim", "output_size")  # of a network that is no component
_PACKAGE = __name__.partition(".")[0]
_PACKAGES = (_PACKAGE, "allennlp.commands", "allennlp.data", "allennlp.training")
_LISTS = (list, collections.abc.Iterable, set, tuple)
_Parameters = Dict[str, inspect.Parameter]


class Fault(NamedTuple):
    """A fault of a config: its place, such as `model.sampler.loss`, and a sentence."""

    place: str
    message: str


def faults_of(config: Dict[str, Any]) -> List[Fault]:
    """Return all faults of the config of a run, in the order of its keys.

    >>> faults_of({"trainer": {"typo": 1}})[0].message
    "Expected the key 'dataset_reader' of TrainModel in the config, got none."
    """
    rest = {key: value for key, value in config.items() if key not in (*_TOP, *_SEEDS)}
    given = {"serialization_dir", "local_rank", "batch_weight_key"}
    faults = list(_component(TrainModel, rest, "", frozenset(given)))
    for key in _SEEDS:
        faults += _value(int, config.get(key), key, frozenset(), False)
    distributed = config.get("distributed")
    if isinstance(distributed, dict):
        faults += _unknown("distributed", distributed, list(_DISTRIBUTED), "'distributed'")
    trainer = config.get("trainer")
    networks = trainer.get("networks") if isinstance(trainer, dict) else None
    if isinstance(networks, dict):
        faults += _unknown("trainer.networks", networks, list(_NETWORKS), "'networks'")
    return faults


def component_faults(base: Any, value: Any, place: str = "") -> List[Fault]:
    """Return the faults of the config of one component of `base`, which a `Lazy` may hand
    collaborators to."""
    handed = frozenset({*_HANDED_DOWN, *_SIZES})
    return list(_component(base, value, place, handed))


def _component(base: Any, value: Any, place: str, extras: Any) -> Iterator[Fault]:
    """Yield the faults of a component; `extras` are the arguments that are handed down to it, or
    None where they are unknown."""
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, dict):
        yield _unexpected("a dictionary, or the name of a component,", place, value)
        return
    if "_pretrained" in value or not hasattr(base, "from_params"):
        return
    old_form = _old_form(place, value)
    if old_form is not None:
        yield old_form
        return
    keys = dict(value)
    cls, constructor = base, None
    if Registrable._registry.get(base) is not None:
        cls, constructor = yield from _resolved(base, keys, place)
    if cls is None or not _is_plain(cls):
        return
    parameters = _parameters(cls, constructor or cls.__init__)
    if parameters is None:
        return
    if not any(each.kind == each.VAR_KEYWORD for each in parameters.values()):
        yield from _unknown(place, keys, list(parameters), cls.__name__)
    yield from _missing(cls, parameters, keys, place, extras)
    for name, item in keys.items():
        if name in parameters and parameters[name].kind != inspect.Parameter.VAR_KEYWORD:
            here = f"{place}.{name}" if place else name
            own = cls.__module__.startswith(_PACKAGES)
            yield from _value(parameters[name].annotation, item, here, extras, own)


def _resolved(
    base: Any, keys: Dict[str, Any], place: str
) -> "collections.abc.Generator[Fault, None, Tuple[Any, Optional[Callable[..., Any]]]]":
    """Take the name of a component out of `keys`; return its class and its constructor, or yield a
    fault and return None."""
    where = f"at '{place}' of the config" if place else "in the config"
    here = f"{place}.type" if place else "type"
    expected = f"Expected 'type' {where} to be a name registered for {base.__name__}"
    name = keys.pop("type", base.default_implementation)
    choices = base.list_available()
    if not isinstance(name, str):
        got = "none" if name is None else shown(name)
        yield Fault(here, f"{expected}, one of {', '.join(choices)}, got {got}.")
        return None, None
    if name not in Registrable._registry[base] and "." not in name:
        names = f"is its package included? The names are {', '.join(choices)}."
        yield Fault(here, f"{expected}, got '{name}'; {nearest(name, choices) or names}")
        return None, None
    try:
        cls, constructor = base.resolve_class_name(name)
    except (ConfigurationError, ImportError) as error:
        yield Fault(here, f"{expected}, got '{name}': {error}")
        return None, None
    if not hasattr(cls, "from_params"):
        return None, None  # a module of torch, which AllenNLP gives the keys as they are
    return cls, getattr(cls, constructor) if constructor else None


def _is_plain(cls: Any) -> bool:
    """Return whether a class is built from its constructor's signature."""
    method = getattr(cls.from_params, "__func__", None)
    if method is None or method is FromParams.from_params.__func__:
        return method is not None
    return str(method.__module__).partition(".")[0] == _PACKAGE


def _parameters(cls: Any, constructor: Any) -> Optional[_Parameters]:
    if constructor is object.__init__:
        return {}
    try:
        parameters = infer_method_params(cls, constructor)
    except (TypeError, ValueError):
        return None
    parameters.pop("self", None)
    if issubclass(cls, GradientDescentTrainer):  # of which a patch refuses other keys
        further = dict(inspect.signature(GradientDescentTrainer.__init__).parameters)
        further["run_sanity_checks"] = inspect.Parameter(
            "run_sanity_checks", inspect.Parameter.KEYWORD_ONLY, default=None
        )
        parameters = {**further, **parameters}
        for name in ("self", "kwargs"):
            parameters.pop(name, None)
        for name in further:
            if name not in ("self", "kwargs") and name not in infer_method_params(cls, constructor):
                parameters[name] = parameters[name].replace(default=None)
    return parameters


def _unknown(place: str, keys: Any, known: List[str], owner: str) -> Iterator[Fault]:
    for key in keys:
        if key not in known:
            here = f"{place}.{key}" if place else key
            free = sorted(set(known) - _HANDED_DOWN) or sorted(known)
            hint = nearest(key, known) or f"its keys are {', '.join(free)}."
            where = f"at '{place}' of the config" if place else "in the config"
            yield Fault(here, f"Expected a key of {owner} {where}, got '{key}'; {hint}")


def _missing(
    cls: Any, parameters: _Parameters, keys: Any, place: str, extras: Any
) -> Iterator[Fault]:
    if extras is None:
        return
    for name, parameter in parameters.items():
        required = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        )
        if required and name not in keys and name not in extras:
            where = f"at '{place}' of the config" if place else "in the config"
            here = f"{place}.{name}" if place else name
            yield Fault(here, f"Expected the key '{name}' of {cls.__name__} {where}, got none.")


def _value(annotation: Any, value: Any, place: str, extras: Any, own: bool) -> Iterator[Fault]:
    """Yield the faults of a value; `own` says whether the constructor is AllenNLP's or ours."""
    origin = getattr(annotation, "__origin__", None)
    arguments: Any = getattr(annotation, "__args__", ())
    if value is None:
        return
    if origin is Union:
        yield from _any_of(annotation, value, place, extras, own)
    elif origin is Lazy:
        base = arguments[0]
        sizes = set() if base in Registrable._registry else set(_SIZES)
        sizes |= {"input_size"} if base is Seq2SeqEncoder else set()
        handed = frozenset(_HANDED_DOWN | sizes | (extras or set())) if own else None
        yield from _component(base, value, place, handed)
    elif hasattr(annotation, "from_params"):
        yield from _component(annotation, value, place, extras)
    elif annotation in (int, bool, str, float):
        allowed = {int: (int, bool), bool: (int, bool), str: (str,), float: (int, float)}
        if type(value) not in allowed[annotation]:
            yield _unexpected(noun(annotation), place, value)
    elif origin is Literal:
        if value not in arguments:
            hint = nearest(value, arguments)
            yield _unexpected(noun(annotation), place, value, hint)
    elif origin in (dict, collections.abc.Mapping) and len(arguments) == 2:
        if can_construct_from_params(arguments[1]):
            yield from _items(annotation, arguments[1], value, place, extras, own, dict)
    elif origin in _LISTS and arguments and Ellipsis not in arguments:
        if origin is tuple and all(map(can_construct_from_params, arguments)):
            yield from _tuple(annotation, value, place, extras, own)
        elif origin is not tuple and can_construct_from_params(arguments[0]):
            yield from _items(annotation, arguments[0], value, place, extras, own, list)
        elif origin is list and not isinstance(value, list):
            yield _unexpected(noun(annotation), place, value)


def _items(
    annotation: Any, item: Any, value: Any, place: str, extras: Any, own: bool, kind: type
) -> Iterator[Fault]:
    if type(value) is not kind:
        yield _unexpected(noun(annotation), place, value)
        return
    pairs: Any = value
    for key, each in enumerate(pairs) if kind is list else pairs.items():
        yield from _value(item, each, f"{place}.{key}", extras, own)


def _tuple(annotation: Any, value: Any, place: str, extras: Any, own: bool) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield _unexpected(noun(annotation), place, value)
        return
    for number, (each, item) in enumerate(zip(annotation.__args__, value, strict=False)):
        yield from _value(each, item, f"{place}.{number}", extras, own)


def _any_of(annotation: Any, value: Any, place: str, extras: Any, own: bool) -> Iterator[Fault]:
    """Yield the faults of a value of a union: none where one of its types has none."""
    kinds = [each for each in annotation.__args__ if each is not type(None)]
    found = {}
    for number, kind in enumerate(kinds):
        found[number] = list(_value(kind, value, place, extras, own))
        if not found[number]:
            return
    inside = [faults for faults in found.values() if any(f.place != place for f in faults)]
    if len(kinds) == 1 or len(inside) == 1:  # the type whose form the value has
        yield from inside[0] if inside else found[0]
    else:
        yield _unexpected(noun(annotation), place, value)


def _unexpected(expected: str, place: str, value: Any, hint: str = "") -> Fault:
    got = f"{shown(value)}{'; ' + hint if hint else '.'}"
    where = f"for '{place}' of the config" if place else "as the config"
    return Fault(place, f"Expected {expected} {where}, got {got}")


def _old_form(place: str, value: Dict[str, Any]) -> Optional[Fault]:
    key = place.rpartition(".")[2]
    try:
        if key in ("task_network", "score_network"):
            refuse_old_form(Params(value), key)
        elif place == "model":
            refuse_threshold(value)
    except ConfigurationError as error:
        return Fault(place, str(error))
    return None

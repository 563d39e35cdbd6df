"""The patches of how configs are read, a part of the table of all patches."""

from typing import List

from allennlp.common import Lazy, Params, from_params
from allennlp.common import params as common_params

from . import arguments, messages, overrides, settings
from .patch import Patch

CONFIG_PATCHES: List[Patch] = [
    Patch(
        Params,
        "assert_empty",
        messages.assert_empty,
        "message",
        "An error about a misspelt key lacked its place in the config.",
    ),
    Patch(
        Params,
        "pop_choice",
        messages.pop_choice,
        "message",
        "An error about a misspelt name blamed packages that are not imported; now it suggests "
        "the most similar name.",
    ),
    Patch(
        from_params,
        "pop_and_construct_arg",
        arguments.pop_and_construct_arg,
        "message",
        "An error about a missing argument lacked its place in the config.",
    ),
    Patch(
        from_params,
        "construct_arg",
        arguments.construct_arg,
        "message",
        "An error about a value of another type, or out of the range of a class of torch, lacked "
        "the value and its place.",
    ),
    Patch(
        Lazy,
        "construct",
        settings.construct,
        "message",
        "As above, for optimizers, schedulers and other components that are built late.",
    ),
    Patch(
        common_params,
        "evaluate_file",
        overrides.evaluate_file,
        "message",
        "A config could import files beside it only, and an error in it lacked its name; now "
        "imports also find the library, `structured_energy/methods.libsonnet`.",
    ),
    Patch(
        common_params,
        "evaluate_snippet",
        overrides.evaluate_snippet,
        "message",
        "As above, for the overrides of `-o`.",
    ),
    Patch(
        common_params,
        "parse_overrides",
        overrides.parse_overrides,
        "message",
        "An error in the text of `-o` lacked the text.",
    ),
    Patch(
        common_params,
        "with_overrides",
        overrides.with_overrides,
        "message",
        "An error about an unknown key in `-o` lacked the keys that exist.",
    ),
]

"""The methods of the library, with a line and the paper for each."""

import json
import re
from typing import Any, Dict, List, NamedTuple, Optional

from allennlp.common.checks import ConfigurationError

from .library import describe, evaluate_snippet
from .words import nearest


class Method(NamedTuple):
    """A method of a task: its name in the library, a line about it, and its paper if it has one."""

    name: str
    about: str
    paper: Optional[str] = None


_NETWORK = "Tu & Gimpel 2018"
_TERMS = "Tu et al. 2020"
_SEAL = "Lee et al. 2022"
_TREES = "Koo et al. 2007"
_CROSS_ENTROPY = Method("cross_entropy", "A task network that minimises the cross-entropy.")
_SPEN = Method(
    "spen",
    "A score network, margin-based, with cost-augmented gradient-based inference.",
    "Belanger & McCallum 2016",
)
_DVN = Method(
    "dvn",
    "A value network: the score of an output estimates its oracle value.",
    "Gygli et al. 2017",
)
_INFERENCE_NETWORK = Method(
    "inference_network",
    "A task network does the inference of a margin-based score network.",
    _NETWORK,
)
_DYNAMIC_MARGIN = Method(
    "seal_dynamic_margin",
    "The score network as a loss of the task network; both learn at once, margin-based.",
    _SEAL,
)
_DYNAMIC_DVN = Method(
    "seal_dynamic_dvn",
    "The same, with a value network that learns from the outputs of the task network.",
    _SEAL,
)
_DYNAMIC_NCE = Method(
    "seal_dynamic_nce",
    "The same, with ranking noise-contrastive estimation on draws of the task network.",
    _SEAL,
)

# By the names of the libraries; each in the order in which `allennlp methods` lists them.
METHODS: Dict[str, List[Method]] = {
    "multi_label": [
        _CROSS_ENTROPY,
        Method(
            "cross_entropy_oracle_cost",
            "A task network that also minimises the relaxed oracle cost.",
        ),
        Method(
            "cross_entropy_lsef1",
            "The same, with a smooth F1: its minimum is a logarithm of exponentials.",
        ),
        Method(
            "cross_entropy_weighted",
            "A cross-entropy in which the positives of rare labels weigh more.",
        ),
        _SPEN,
        Method(
            "spen_end_to_end",
            "A score network, trained through its unrolled gradient-based inference.",
            "Belanger et al. 2017",
        ),
        _DVN,
        _INFERENCE_NETWORK,
        Method(
            "inference_network_cost_augmented",
            "The same, with a separate network for cost-augmented inference.",
            _TERMS,
        ),
        Method(
            "cross_fitted",
            "An energy of few weights on the logits of held-out data, normalised over likely sets.",
            "Charniak & Johnson 2005",
        ),
        Method(
            "classifier_chain",
            "A classifier chain, which reranks the most probable outputs, for subset accuracy.",
            "Dembczyński et al. 2010",
        ),
        Method(
            "seal_static",
            "A value network, trained first and then kept, is a loss of the task network.",
            _SEAL,
        ),
        Method(
            "seal_static_margin",
            "A margin-based score network, trained on the outputs of a task network, then kept.",
            _SEAL,
        ),
        Method(
            "seal_static_nce",
            "The same, with noise-contrastive estimation on draws of the task network.",
            _SEAL,
        ),
        _DYNAMIC_MARGIN,
        _DYNAMIC_DVN,
        Method(
            "seal_dynamic_dvn_value",
            "The same, with the value in place of its logarithm in the task network's loss.",
            _SEAL,
        ),
        Method(
            "seal_dynamic_dvn_draws",
            "As seal_dynamic_dvn, with draws of the task network.",
            _SEAL,
        ),
        Method(
            "seal_dynamic_dvn_cost_augmented",
            "As seal_dynamic_dvn, and a cost-augmented network that finds overestimated outputs.",
            _SEAL,
        ),
        _DYNAMIC_NCE,
        Method(
            "seal_dynamic_nce_critical",
            "The same; the score counts only where the truth does not score higher by a margin.",
        ),
        Method("seal_dynamic_nce_relaxed", "The same, with relaxed (Gumbel) draws.", _SEAL),
        Method(
            "seal_ranking",
            "As seal_dynamic_nce, without the probability of the draws.",
            _SEAL,
        ),
        Method(
            "nce_gradient",
            "The score network of seal_dynamic_nce, with gradient-based inference.",
            _SEAL,
        ),
        Method(
            "contrastive_divergence",
            "A score network that learns from short Gibbs chains, which start at the truth.",
            "Hinton 2002",
        ),
    ],
    "tagging": [
        _CROSS_ENTROPY,
        Method("crf", "A linear chain, exact in training and prediction.", "Lafferty et al. 2001"),
        _SPEN,
        _INFERENCE_NETWORK,
        *(
            Method(f"inference_network_{term}", f"The same, with {about}.", _TERMS)
            for term, about in (
                ("skip_chain", "skip-chain terms"),
                ("high_order", "terms over three tags"),
                ("convolutional", "a convolution over tags"),
                ("self_attention", "self-attention over tags"),
                ("label_language_model", "a language model of tags"),
            )
        ),
        _DYNAMIC_MARGIN,
        _DYNAMIC_NCE,
    ],
    "segmentation": [_CROSS_ENTROPY, _DVN, _INFERENCE_NETWORK, _DYNAMIC_DVN, _DYNAMIC_NCE],
    "parsing": [
        _CROSS_ENTROPY,
        Method("crf", "The likelihood of trees, exact by the matrix-tree theorem.", _TREES),
        Method("crf_projective", "The same over projective trees.", "Eisner 1996"),
        _SPEN,
        _DVN,
        _INFERENCE_NETWORK,
        Method(
            "inference_network_second_order",
            "The same, with terms over pairs of arcs: siblings and grandparents.",
            "Wang & Tu 2020",
        ),
        _DYNAMIC_MARGIN,
        _DYNAMIC_NCE,
    ],
}
METHODS["multi_label_text"] = METHODS["multi_label"]
_MAX = Method(
    "cross_entropy_max",
    "Coherent by the maximum over descendants, with the loss for it.",
    "Giunchiglia & Lukasiewicz 2020",
)
_FIELD = Method("crf", "A field on the edges of a tree, exact in training and prediction.")
METHODS["hierarchical"] = [
    _CROSS_ENTROPY,
    _MAX,
    _FIELD,
    *(
        method
        for method in METHODS["multi_label"][1:]
        if method.name not in ("cross_fitted", "classifier_chain")
    ),
]
TITLES = {
    "multi_label": "Labels (multi_label)",
    "tagging": "Tags of tokens (tagging)",
    "segmentation": "Masks of images (segmentation)",
    "parsing": "Dependency trees (parsing)",
    "multi_label_text": "Labels of texts (multi_label_text)",
    "hierarchical": "Labels in a taxonomy (hierarchical)",
}
# The file of data sets of each task, and the data set that stands for all.
DATA_SETS = {
    "multi_label": ("data_sets", "digits"),
    "tagging": ("tagging_data_sets", "twpos"),
    "segmentation": ("segmentation_data_sets", "weizmann_horses"),
    "parsing": ("parsing_data_sets", "ud_english_ewt"),
    "multi_label_text": ("multi_label_text_data_sets", "goemotions"),
    "hierarchical": ("hierarchical_data_sets", "spo_fun"),
}


def tasks_of(method: str) -> List[str]:
    """Return the tasks that have a method.

    >>> tasks_of("crf")
    ['tagging', 'hierarchical']

    # Raises

    `ConfigurationError` for an unknown method, with the most similar one.
    """
    tasks = [task for task, methods in METHODS.items() if method in [m.name for m in methods]]
    if not tasks:
        names = list(dict.fromkeys(m.name for methods in METHODS.values() for m in methods))
        hint = nearest(method, names) or f"the methods are {', '.join(names)}."
        raise ConfigurationError(f"Expected the name of a method, got '{method}'; {hint}")
    return tasks


def same_as(task: str) -> Optional[str]:
    """Return the earlier task that has the same methods, if there is one.

    >>> same_as("multi_label_text"), same_as("tagging")
    ('multi_label', None)
    """
    first = next(each for each, methods in METHODS.items() if methods == METHODS[task])
    return None if first == task else first


def check_method(task: str, method: str) -> None:
    """Raise `ConfigurationError` for a task that is unknown or that lacks the method."""
    if task not in METHODS:
        raise ConfigurationError(f"Expected a task among {', '.join(METHODS)}, got '{task}'.")
    if task not in tasks_of(method):
        names = ", ".join(each.name for each in METHODS[task])
        raise ConfigurationError(
            f"Expected a method of the task {task}, one of {names}, got '{method}'."
        )


def config_of(task: str, method: str, table: Dict[str, Any]) -> Dict[str, Any]:
    """Return the config of a method for the table of a data set.

    >>> config_of("tagging", "crf", {"train": "train.conll"})["model"]["loss"]
    'exact-likelihood'

    # Raises

    `ConfigurationError` for an unknown task, method or key of the table, with a suggestion.
    """
    check_method(task, method)
    text = f"(import 'structured_energy/{task}.libsonnet').{method}({json.dumps(table)})"
    return _evaluated(text, f"the table for {method}")


def config_for(task: str, method: str, data_set: Optional[str] = None) -> Dict[str, Any]:
    """Return the config of a method for a data set of the library, by default the one that stands
    for the task.

    # Raises

    `ConfigurationError` for an unknown task, method or data set.
    """
    check_method(task, method)
    file, default = DATA_SETS[task]
    known = data_sets_of(task)
    name = data_set or default
    if name not in known:
        raise ConfigurationError(
            f"Expected a data set of the task {task}, one of {', '.join(known)}, got '{name}'."
        )
    text = (
        f"(import 'structured_energy/{task}.libsonnet').{method}("
        f"(import 'structured_energy/{file}.libsonnet').{name})"
    )
    return _evaluated(text, name)


def data_sets_of(task: str) -> List[str]:
    """Return the data sets of a task that the library has."""
    file = DATA_SETS[task][0]
    return json.loads(
        evaluate_snippet("names", f"std.objectFields(import 'structured_energy/{file}.libsonnet')")
    )


def _evaluated(text: str, name: str) -> Dict[str, Any]:
    try:
        return json.loads(evaluate_snippet(name, text))
    except RuntimeError as error:
        message = describe(error, name)
        raise ConfigurationError(re.sub(r"^.*?: e", "E", message, count=1)) from error

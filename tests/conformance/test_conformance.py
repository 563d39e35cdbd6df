"""Every registered component runs its conformance suite: a new one joins by registering.

Each test runs every config in one space whose positions are independent, and in one whose positions
constrain each other. The spaces change from test to test, so that a suite runs each config in each
of its spaces. `make exhaustive` runs each test in all spaces.
"""

import functools
import itertools
import json
import re

import pytest
from allennlp.training.metrics import Metric
from component_names import names_of
from selection import by_turns

from structured_energy.decoders import Decoder
from structured_energy.encoders import Encoder
from structured_energy.evaluations import EvaluationModule
from structured_energy.losses import Loss
from structured_energy.oracle_values import OracleValue
from structured_energy.output_spaces import OutputSpace
from structured_energy.samplers import Sampler
from structured_energy.score_networks import ScoreNetwork, StructuredScore
from structured_energy.testing import (
    DecoderConformance,
    EncoderConformance,
    EvaluationConformance,
    LossConformance,
    MetricConformance,
    OracleValueConformance,
    OutputSpaceConformance,
    SamplerConformance,
    ScoreNetworkConformance,
    StructuredScoreConformance,
    evaluate_jsonnet,
)

# The problems: sets of labels, and all.
SETS_OF_LABELS = ("binary", "tree", "dag")
ALL = ("binary", "categorical", "image", "tree", "dag", "dependencies")
SENTENCES = ("categorical", "dependencies")
# Those whose positions constrain each other, each with algorithms of its own.
DEPENDENT = ("tree", "dag", "dependencies")
EMBEDDER = "{token_embedders: {tokens: {type: 'embedding', embedding_dim: 5}}}"
FEEDFORWARD = "{num_layers: 1, hidden_dims: 5, activations: 'softplus'}"

COST_AUGMENTED = (
    "{type: 'inference-network', loss: 'inference', "
    f"cost_augmented_network: {{feedforward: {FEEDFORWARD}}}}}"
)
COST_AUGMENTED_SEQUENCE = (
    "{type: 'inference-network', loss: 'inference', cost_augmented_network: "
    "{encoder: {type: 'lstm', hidden_size: 4, bidirectional: true}}}"
)
FEATURES = f"{{type: 'feedforward', feedforward: {FEEDFORWARD}}}"
TOKENS = f"{{type: 'tokens', embedder: {EMBEDDER}}}"
LSTM = "{type: 'lstm', input_size: 5, hidden_size: 4, bidirectional: true}"
U_NET = "{type: 'u-net', hidden: [4, 4], num_channels: 2}"
BIAFFINE = "projection: {type: 'biaffine', arc_size: 4, relation_size: 3, dropout: 0}"
OF_TASK_NETWORK = (
    f"{{type: 'feedforward', encoder: {{type: 'task-network'}}, feedforward: {FEEDFORWARD}}}"
)

# The encoders and the problems whose x they encode.
ENCODERS = {
    FEATURES: SETS_OF_LABELS,
    OF_TASK_NETWORK: ALL,
    f"{{type: 'feedforward', encoder: {TOKENS}, feedforward: {FEEDFORWARD}}}": SENTENCES,
    "{type: 'task-network'}": ALL,
    "{type: 'task-network', detach: false}": ALL,
    "{type: 'task-network', output: 'logits'}": ("binary", "categorical", "tree", "dag"),
    TOKENS: SENTENCES,
    f"{{type: 'tokens', embedder: {EMBEDDER}, encoder: {LSTM}, dropout: 0.1}}": SENTENCES,
    f"{{type: 'text', embedder: {EMBEDDER}, seq2vec_encoder: {{type: 'boe', embedding_dim: 5, "
    f"averaged: true}}, feedforward: {FEEDFORWARD}}}": SENTENCES,
    f"{{type: 'text', embedder: {EMBEDDER}, seq2vec_encoder: {{type: 'cnn', embedding_dim: 5, "
    "num_filters: 3, ngram_filter_sizes: [2, 3]}}": ("categorical",),
    f"{{type: 'text', embedder: {EMBEDDER}, pooling: ['first', 'mean', 'max', 'last']}}": (
        "categorical",
    ),
    f"{{type: 'text', embedder: {EMBEDDER}, encoder: {LSTM}, dropout: 0.1, seq2vec_encoder: "
    "{type: 'lstm', input_size: 8, hidden_size: 4}}": SENTENCES,
    "{type: 'pixels', num_channels: 2}": ("image",),
    "{type: 'fully-convolutional', hidden: [4, 4], num_channels: 2}": ("image",),
    U_NET: ("image",),
    f"{{type: 'frozen', encoder: {FEATURES}}}": SETS_OF_LABELS,
    f"{{type: 'frozen', encoder: {TOKENS}}}": SENTENCES,
    f"{{type: 'standardized', encoder: {{type: 'frozen', encoder: {FEATURES}}}}}": SETS_OF_LABELS,
    f"{{type: 'standardized', encoder: {{type: 'frozen', encoder: {TOKENS}}}}}": SENTENCES,
    f"{{type: 'sequence', encoder: {{type: 'frozen', encoder: {TOKENS}}}, sequence: {LSTM}, "
    "dropout: 0.1}": SENTENCES,
    f"{{type: 'frozen', encoder: {U_NET}}}": ("image",),
}
# The terms of scores with what they need.
TERMS = {
    "feedforward": [
        f"feedforward: {FEEDFORWARD}",
        "feedforward: {num_layers: 3, hidden_dims: [5, 4, 3], "
        "activations: ['tanh', 'relu', 'softplus'], dropout: 0.1}",
        "feedforward: {num_layers: 1, hidden_dims: 5, activations: 'elu'}",
    ],
    "conditional-feedforward": [
        "num_patterns: 3",
        f"num_patterns: 4, activation: 'tanh', feedforward: {FEEDFORWARD}",
    ],
    "label-attention": ["hidden_size: 3"],
    "pairwise": [""],
    "cardinality": ["largest: 2", "largest: 3, num_highest: 2"],
    "linear-chain": ["", "encoding: 'BIO', allowed: {'START': ['O']}"],
    "semi-markov": ["max_length: 3"],
    "skip-chain": ["order: 5"],
    "high-order": [f"order: {order}, feedforward: {FEEDFORWARD}" for order in (2, 4)],
    "convolutional": ["width: 3, num_filters: 4", "width: 9, num_filters: 2"],
    "self-attention": ["hidden_size: 8", "hidden_size: 8, window: 1"],
    "label-language-model": [""],
    "classifier-chain": [""],
    "autoregressive-pixels": ["height: 3, width: 3, channels: 2, num_layers: 1"],
    "grid": [""],
    "image-and-mask": [
        "hidden: [4, 5], num_channels: 2, width: 3",
        "hidden: [4, 4, 4], num_channels: 2",
    ],
    "taxonomy": [""],
    "sibling": ["size: 3"],
    "grandparent": ["size: 3"],
    "encoding-and-mask": ["hidden: [4], width: 1", "hidden: [4, 3], width: 3"],
}


def network(encoder, *terms, rest=""):
    scores = [f"{{type: '{name}', {TERMS.get(name, [str()])[0]}}}" for name in terms]
    return (
        f"{{type: 'encoder', encoder: {encoder}, structured_scores: [{', '.join(scores)}], {rest}}}"
    )


# The score networks by problem.
NETWORKS = {
    "binary": [
        network(FEATURES),
        network(FEATURES, "feedforward", rest="positions: 'mean'"),
        network(OF_TASK_NETWORK, "conditional-feedforward", "label-attention"),
        network("{type: 'task-network', detach: false}", "feedforward", rest="local_term: false"),
        network(
            "{type: 'task-network', output: 'logits'}",
            "scaled-logits",
            "pairwise",
            "cardinality",
            rest="local_term: false",
        ),
    ],
    "categorical": [
        network(TOKENS),
        network(f"{{type: 'tokens', embedder: {EMBEDDER}, encoder: {LSTM}}}", "linear-chain"),
        network(OF_TASK_NETWORK, "label-language-model", "high-order"),
    ],
    "dependencies": [
        network(TOKENS, rest=BIAFFINE),
        network(TOKENS, "sibling", "grandparent", rest="local_term: false"),
        network(TOKENS, "self-attention", rest=BIAFFINE),
    ],
    "image": [
        network(U_NET),
        network("{type: 'pixels', num_channels: 2}", "grid", rest="local_term: false"),
        network(U_NET, "grid", "image-and-mask"),
        network(U_NET, "grid", "encoding-and-mask", rest="positions: 'mean'"),
    ],
}

# Decoders of sequences by a metric of tags.
OF_TAGS = [
    f"{{type: 'minimum-bayes-risk', utility: {utility}, "
    "sampler: {type: 'tempered-draws', num_samples: 4, temperatures: [1]}}"
    for utility in ("'tag-accuracy'", "{type: 'span-f1', encoding: 'BIO'}")
]

REPEATED = [
    "{type: 'repeated-roles', roles: ['B-X']}",
    "{type: 'repeated-roles', roles: ['X'], encoding: 'BIO'}",
]
ROLES = {
    measure: [
        f"'role-{measure}'",
        f"{{type: 'role-{measure}', encoding: 'BIO', join_continuations: true}}",
    ]
    for measure in ("f1", "precision", "recall")
}
DEPENDENCIES = [
    f"{{type: 'dependency-tree', single_root: {root}, projective: {projective}}}"
    for root in ("true", "false")
    for projective in ("false", "true")
]

# The configs of those that need more than their name; several where several matter.
CONFIGS = {
    (OutputSpace, "dependency-tree"): DEPENDENCIES,
    (OutputSpace, "hierarchical"): [
        "'hierarchical'",
        "{type: 'hierarchical', coherence: 'max'}",
    ],
    (OracleValue, "per-instance-lsef1"): [
        "'per-instance-lsef1'",
        "{type: 'per-instance-lsef1', temperature: 0.3}",
    ],
    (Loss, "combination"): [
        "{type: 'combination', constituents: ['score', 'cross-entropy'], weights: [0.5, 2]}",
        "{type: 'combination', constituents: ['score', 'cross-entropy'], weights: "
        "[{type: 'linear', start: 1, end: 1, num_steps: 9}, {type: 'constant', value: 2}]}",
    ],
    (Loss, "critical-examples"): [
        "{type: 'critical-examples', constituent: 'score', oracle_cost_weight: 2, margin: 0.1}",
        "{type: 'critical-examples', constituent: {type: 'cross-entropy', reduction: 'sum'}}",
    ],
    (Loss, "cross-entropy"): ["'cross-entropy'", "{type: 'cross-entropy', pos_weight: 3}"],
    (Loss, "negative"): ["{type: 'negative', constituent: 'score'}"],
    (Loss, "margin-based"): [
        f"{{type: 'margin-based', margin_type: '{margin_type}', oracle_cost_weight: 2}}"
        for margin_type in ("margin-rescaled", "slack-rescaled", "perceptron", "contrastive")
    ]
    + ["{type: 'margin-based', most_violated: true}"],
    (Loss, "contrastive-divergence"): ["{type: 'contrastive-divergence', score_penalty: 0.1}"],
    (Loss, "score"): ["'score'", "{type: 'score', reduction: 'sum'}"],
    (Loss, "value-regression"): [
        f"{{type: 'value-regression', objective: '{objective}'}}"
        for objective in ("cross-entropy", "squared-error", "squared-error-of-score")
    ]
    + ["{type: 'value-regression', include_truth: true}"],
    (Loss, "value"): ["'value'", "{type: 'value', objective: 'value', oracle_cost_weight: 2}"],
    (Loss, "nce-ranking"): [
        "'nce-ranking'",
        "{type: 'nce-ranking', correct_for_proposal: false}",
    ],
    (Loss, "policy-gradient"): [
        "'policy-gradient'",
        "{type: 'policy-gradient', baseline: 'none'}",
    ],
    (Decoder, "threshold"): [
        "'threshold'",
        "{type: 'threshold', threshold: 0.4}",
        "{type: 'threshold', metric: 'micro-f1', candidates: 3}",
    ],
    (Decoder, "relative"): ["'relative'", "{type: 'relative', proportion: 0.7}"],
    (Decoder, "relative-and-absolute"): [
        "'relative-and-absolute'",
        "{type: 'relative-and-absolute', proportion: 0.7}",
    ],
    (Decoder, "top-k"): ["'top-k'", "{type: 'top-k', k: 1}"],
    (Decoder, "per-label"): ["'per-label'", "{type: 'per-label', shrinkage: 0}"],
    (Decoder, "at-least-one"): [
        "{type: 'at-least-one', decoder: 'threshold'}",
        "{type: 'at-least-one', decoder: {type: 'threshold', threshold: 0.9}}",
        "{type: 'at-least-one', decoder: 'expected-f1'}",
    ],
    (Decoder, "expected-f1"): ["'expected-f1'", "{type: 'expected-f1', temperature: 1.5}"],
    (Decoder, "minimum-bayes-risk"): [
        "'minimum-bayes-risk'",
        *OF_TAGS,
        "{type: 'minimum-bayes-risk', score_weight: 0.5, prior_weight: 0, oracle_value: "
        "'hamming', sampler: {type: 'tempered-draws', num_samples: 5, temperatures: [2]}}",
    ],
    (EvaluationModule, "score-ranking"): [
        "'score-ranking'",
        "{type: 'score-ranking', sampler: {type: 'network-draws', kind: 'gumbel', num_samples: 3}}",
        "{type: 'score-ranking', sampler: 'inference-network'}",
    ],
    (EvaluationModule, "inference"): [
        "{type: 'inference', sampler: 'gradient-based-inference'}",
        "{type: 'inference', sampler: {type: 'gradient-based-inference', start: "
        "'inference-network', optimizer: 'entropic-mirror-descent', pick: 'last'}}",
        "{type: 'inference', sampler: {type: 'random', num_samples: 3}}",
    ],
    (Metric, "precision-at-k"): [f"{{type: 'precision-at-k', k: {k}}}" for k in (1, 3)],
    (Metric, "ndcg-at-k"): [f"{{type: 'ndcg-at-k', k: {k}}}" for k in (1, 3)],
    (Metric, "au-prc"): [
        "'au-prc'",
        "{type: 'au-prc', excluded: ['label_0'], interpolation: 'trapezoids'}",
    ],
    (Metric, "repeated-roles"): REPEATED,
    **{(Metric, f"role-{measure}"): configs for measure, configs in ROLES.items()},
    (Metric, "tag-accuracy"): ["'tag-accuracy'", "{type: 'tag-accuracy', by_tag: true}"],
    (Metric, "label-f1"): ["'label-f1'", "{type: 'label-f1', labels: ['label_0']}"],
    (Sampler, "network-draws"): [
        f"{{type: 'network-draws', num_samples: 4, kind: '{kind}', temperature: 0.5}}"
        for kind in ("discrete", "gumbel", "gaussian")
    ],
    (Sampler, "tempered-draws"): [
        "{type: 'tempered-draws', num_samples: 6, temperatures: [1, 2]}",
        "{type: 'tempered-draws', num_samples: 2, temperatures: [0.5], loss: 'score'}",
    ],
    (Sampler, "gradient-based-inference"): [
        "'gradient-based-inference'",
        "{type: 'gradient-based-inference', pick: 'last', tolerance: 0.01, adversarial: "
        "'inference', start: {type: 'random', num_samples: 3}, truth_rate: 0.5, "
        "optimizer: 'entropic-mirror-descent'}",
        "{type: 'gradient-based-inference', pick: 'all', start: 'inference-network', "
        "optimizer: {type: 'logits-gradient', learning_rate: 0.5}}",
        "{type: 'gradient-based-inference', pick: 'last-n', num_last: 2, "
        "optimizer: {type: 'optimizer', optimizer: {type: 'adam', lr: 0.1}}}",
        "{type: 'gradient-based-inference', unroll: true}",
    ],
    (Sampler, "mean-over-crops"): [
        f"{{type: 'mean-over-crops', size: {size}, windows_per_side: 2, {rest}}}"
        for size, rest in (
            ("[2, 2]", "constituent: 'inference-network', loss: 'cross-entropy'"),
            ("[9, 9]", "constituent: 'gradient-based-inference'"),
        )
    ],
    (Sampler, "constrained"): [
        "{type: 'constrained', constituent: 'inference-network', loss: 'cross-entropy'}",
        "{type: 'constrained', constituent: 'exact', unique: ['X']}",
        "{type: 'constrained', constituent: {type: 'exact', kind: 'means'}, loss: 'score'}",
    ],
    (Sampler, "exact"): [
        "'exact'",
        "{type: 'exact', num_samples: 4}",
        "{type: 'exact', kind: 'means'}",
        "{type: 'exact', num_samples: 3, kind: 'draws', loss: 'score'}",
        "{type: 'exact', num_samples: 3, kind: 'draws', seed: 1}",
    ],
    (Sampler, "langevin"): [
        "'langevin'",
        "{type: 'langevin', metropolis: true, decay: 0.3, start: 'random', truth_rate: 0.5, "
        "buffer_size: 7}",
    ],
    (Sampler, "gibbs-with-gradients"): [
        "{type: 'gibbs-with-gradients', temperature: 2.0, start: {type: 'random', num_samples: 2}}"
    ],
    (Sampler, "random-picking-container"): [
        "{type: 'random-picking-container', probabilities: [0.3, 0.7], "
        "constituents: ['random', 'inference-network']}"
    ],
    (Sampler, "best-of"): ["{type: 'best-of', constituents: ['random', 'inference-network']}"],
    (Sampler, "appending-container"): [
        "{type: 'appending-container', loss: 'score', "
        "constituents: ['ground-truth', 'inference-network']}"
    ],
    (Sampler, "perturbed-truth"): [
        "'perturbed-truth'",
        "{type: 'perturbed-truth', num_samples: 5, loss: 'score'}",
    ],
    (Sampler, "inference-network"): [
        "'inference-network'",
        "{type: 'inference-network', loss: 'cross-entropy'}",
        COST_AUGMENTED,
        COST_AUGMENTED_SEQUENCE,
    ],
    **{
        (StructuredScore, name): [f"{{type: '{name}', {settings}}}" for settings in several]
        for name, several in TERMS.items()
    },
}
CONFIGS[ScoreNetwork, "encoder"] = [config for configs in NETWORKS.values() for config in configs]
for encoder in ENCODERS:
    CONFIGS.setdefault((Encoder, re.match("{type: '(.*?)'", encoder).group(1)), []).append(encoder)
# The metrics of outputs that are on or off.
SETS = ("example-f1", "micro-f1", "macro-f1", "hamming-loss", "subset-accuracy") + (
    "map-example",
    "map-label",
    "iou",
    "pixel-accuracy",
    "map-micro",
    "relaxed-f1",
    "precision-at-k",
    "ndcg-at-k",
)
# The metrics of tags.
OF_TOKENS = ("tag-accuracy", "{type: 'tag-accuracy', by_tag: true}", *REPEATED) + tuple(
    config
    for measure in ("f1", "precision", "recall")
    for config in (f"role-{measure}", ROLES[measure][1], f"span-{measure}")
)
# Those names, and configs, that do not serve in all problems.
SPACES = {
    COST_AUGMENTED_SEQUENCE: ("categorical",),
    COST_AUGMENTED: ("binary", "categorical", "tree", "dag"),
    "binary": ("binary", "image"),
    "per-label": SETS_OF_LABELS,
    "hierarchical": ("tree", "dag"),
    "{type: 'hierarchical', coherence: 'max'}": ("tree",),
    **dict.fromkeys(OF_TAGS, ("categorical",)),
    **dict.fromkeys(("argmax", "minimum-bayes-risk", "rerank"), ALL),
    "categorical": ("categorical",),
    **dict.fromkeys(DEPENDENCIES, ("dependencies",)),
    "constrained": ("categorical",),
    "exact": ("categorical", "tree", "dependencies"),
    "{type: 'exact', num_samples: 4}": ("categorical", "dependencies"),
    "{type: 'exact', kind: 'means'}": ("categorical", "tree", "dependencies"),
    "{type: 'exact', num_samples: 3, kind: 'draws', seed: 1}": ("categorical", "tree"),
    "exact-likelihood": ("categorical", "tree", "dependencies"),
    "taxonomy": ("tree", "dag"),
    **dict.fromkeys(("sibling", "grandparent"), ("dependencies",)),
    "mean-over-crops": ("image",),
    **ENCODERS,
    **{
        config: SETS_OF_LABELS if space == "binary" else (space,)
        for space, configs in NETWORKS.items()
        for config in configs
    },
    **dict.fromkeys(("feedforward", "conditional-feedforward", "label-attention"), SETS_OF_LABELS),
    **dict.fromkeys(("pairwise", "cardinality"), SETS_OF_LABELS),
    **dict.fromkeys(("classifier-chain", "autoregressive-pixels"), SETS_OF_LABELS),
    **dict.fromkeys(("likely-subsets", "most-probable"), ("binary", "image")),
    **dict.fromkeys(
        ("linear-chain", "semi-markov", "skip-chain", "high-order", "convolutional"),
        ("categorical",),
    ),
    "self-attention": ("categorical", "dependencies"),
    "label-language-model": ("categorical",),
    **dict.fromkeys(("hierarchical-f1", "violations", "level-f1"), ("tree", "dag")),
    "au-prc": SETS_OF_LABELS,
    **dict.fromkeys(OF_TOKENS, ("categorical",)),
    **dict.fromkeys(("uas", "las", "clas"), ("dependencies",)),
    **dict.fromkeys(SETS, ("binary", "image", "tree", "dag")),
    **dict.fromkeys(("label-precision", "label-recall", "label-f1"), SETS_OF_LABELS),
    **dict.fromkeys(("grid", "image-and-mask", "encoding-and-mask"), ("image",)),
}
NEED_LABELS = {"appending-container", "ground-truth", "perturbed-truth"}


def name_of(config):
    """Return the registered name in a config."""
    params = evaluate_jsonnet(config)
    return params if isinstance(params, str) else params["type"]


@functools.cache
def json_of_configs():
    """Return the JSON of each config in `CONFIGS`, of one evaluation: each takes 40 ms."""
    configs = list(dict.fromkeys(itertools.chain.from_iterable(CONFIGS.values())))
    values = evaluate_jsonnet(f"[{', '.join(configs)}]")
    return dict(zip(configs, map(json.dumps, values), strict=True))


def suite_tests(suite):
    """Return the names of the tests of a suite."""
    return [name for name in dir(suite) if name.startswith("test_")]


class Registered:
    """Every registered component of a base: a new one joins by registering."""

    turn = None  # the number of the test that is collected

    def cases(self):
        selected = self.grid()
        if self.turn is not None:
            selected = {
                case
                for dependent in (False, True)
                for case in by_turns(
                    [case for case in self.grid() if (case[1] in DEPENDENT) == dependent],
                    row=lambda case: case[0],
                    turn=self.turn,
                )
            }
        for config, cases in itertools.groupby(self.grid(), lambda case: case[0]):
            yield config, tuple(case[1] for case in cases if case in selected)

    def grid(self):
        """Return each config of the base, as JSON, with each of its spaces."""
        return [
            (json_of_configs().get(config, json.dumps(name)), space)
            for name in self.names()
            for config in CONFIGS.get((self.base, name), [f"'{name}'"])
            for space in SPACES.get(config, SPACES.get(name, self.spaces))
        ]

    def names(self):
        return names_of(self.base)

    def pytest_generate_tests(self, metafunc):
        self.turn = suite_tests(type(self)).index(metafunc.function.__name__)
        super().pytest_generate_tests(metafunc)


class TestDecoders(Registered, DecoderConformance):
    spaces = ("binary", "image", "tree", "dag")


class TestEncoders(Registered, EncoderConformance):
    pass


class TestEvaluations(Registered, EvaluationConformance):
    pass


class TestLosses(Registered, LossConformance):
    pass


class TestMetrics(Registered, MetricConformance):
    pass


class TestOracleValues(Registered, OracleValueConformance):
    pass


class TestOutputSpaces(Registered, OutputSpaceConformance):
    def pytest_generate_tests(self, metafunc):
        # A space has code for each of its problems: all are run.
        OutputSpaceConformance.pytest_generate_tests(self, metafunc)


class TestSamplers(Registered, SamplerConformance):
    def names(self):
        return sorted(set(names_of(self.base)) - NEED_LABELS)


class TestSamplersThatNeedLabels(Registered, SamplerConformance):
    predicts = False

    def names(self):
        return sorted(NEED_LABELS)


class TestScoreNetworks(Registered, ScoreNetworkConformance):
    pass


class TestStructuredScores(Registered, StructuredScoreConformance):
    def names(self):
        # This one takes logits for its encoding, and runs in score networks (NETWORKS).
        return sorted(set(names_of(self.base)) - {"scaled-logits"})


SUITES = [value for value in list(globals().values()) if getattr(value, "names", None)]
SUITES.remove(Registered)


def test_every_registered_component_is_run():
    ran = {}
    for suite in SUITES:
        for config, spaces in suite().cases():
            assert spaces
            ran.setdefault(suite.base, set()).add(name_of(config))
    for base, names in ran.items():
        assert names == set(names_of(base)) - {"scaled-logits"}, base
    assert all(name in names_of(base) for base, name in CONFIGS)


def test_every_component_is_run_in_each_of_its_spaces_and_by_each_test():
    for suite in SUITES:
        grid = set(suite().grid())
        ran = {}
        for turn, test in enumerate(suite_tests(suite)):
            selected = suite()
            selected.turn = turn
            ran[test] = {(config, s) for config, spaces in selected.cases() for s in spaces}
            assert {config for config, _ in ran[test]} == {config for config, _ in grid}
        assert set().union(*ran.values()) == grid, suite


BASES = {suite.base for suite in SUITES} - {ScoreNetwork, Metric}


@pytest.mark.parametrize("base", sorted(BASES, key=lambda base: base.__name__))
def test_bases_are_abstract(base):
    with pytest.raises(TypeError, match="abstract"):
        base()

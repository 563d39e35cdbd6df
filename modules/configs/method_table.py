"""The methods of each task, with a line and the paper for each."""

from typing import Dict, List, NamedTuple, Optional


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
_COST_AUGMENTED = Method(
    "inference_network_cost_augmented",
    "The same, with a separate network for cost-augmented inference.",
    _TERMS,
)
_SAME = "As inference_network"
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
        _COST_AUGMENTED,
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
        Method(
            "crf_semi_markov",
            "The same over segments with their lengths, for spans in BIO.",
            "Sarawagi & Cohen 2004",
        ),
        _SPEN,
        _INFERENCE_NETWORK,
        _COST_AUGMENTED,
        *(
            Method(f"inference_network_{term}", f"{_SAME}, with {about}.", _TERMS)
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
        Method(
            "inference_network_self_attention", f"{_SAME}, with self-attention over arcs.", _TERMS
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

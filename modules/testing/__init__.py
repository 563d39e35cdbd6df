"""For tests, ours and a user's: components, tiny models and whole runs from a Jsonnet snippet, and
the conformance suites.

`pytest_plugins = ["structured_energy.testing.fixtures"]` in a `conftest.py` gives the fixtures.
"""

from .conformance import (
    DecoderConformance,
    EncoderConformance,
    EvaluationConformance,
    LossConformance,
    MetricConformance,
    OracleValueConformance,
    OutputSpaceConformance,
    ReaderConformance,
    SamplerConformance,
    ScoreNetworkConformance,
    StructuredScoreConformance,
)
from .files import (
    write_arff,
    write_chunks,
    write_conllu,
    write_hierarchy,
    write_images,
    write_texts,
)
from .networks import PotentialsNetwork
from .problem import (
    TestProblem,
    data_config,
    evaluate_jsonnet,
    make_test_problem,
    merged,
    train_snippet,
)

__all__ = [
    "DecoderConformance",
    "EncoderConformance",
    "EvaluationConformance",
    "LossConformance",
    "MetricConformance",
    "OracleValueConformance",
    "OutputSpaceConformance",
    "PotentialsNetwork",
    "ReaderConformance",
    "SamplerConformance",
    "ScoreNetworkConformance",
    "StructuredScoreConformance",
    "TestProblem",
    "data_config",
    "evaluate_jsonnet",
    "make_test_problem",
    "merged",
    "train_snippet",
    "write_arff",
    "write_chunks",
    "write_conllu",
    "write_hierarchy",
    "write_images",
    "write_texts",
]

"""What a reader does with a file or a line, up to the tensors that a batch is made of."""

import os

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from hypothesis import HealthCheck, settings

FILES = int(os.environ.get("FUZZ", 80))
many = settings(
    max_examples=FILES,
    deadline=None,
    derandomize="FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


def tensors(instances, vocab=None, may_miss=False):
    """The tensors of instances; those of numbers are finite, or NaN where `may_miss`."""
    instances = list(instances)
    vocab = vocab or Vocabulary.from_instances(instances)
    made = []
    for instance in instances:
        instance.index_fields(vocab)
        made.append(
            {
                name: field.as_tensor(field.get_padding_lengths())
                for name, field in instance.fields.items()
            }
        )
        for tensor in made[-1].values():
            if torch.is_tensor(tensor):
                assert (tensor.isfinite() | (may_miss & tensor.isnan())).all()
    return made


def read_or_refused(read):
    """What `read()` gives, or None where it ends in one of our sentences."""
    try:
        return read()
    except (ValueError, ConfigurationError) as error:
        said = str(error)
        assert type(error) in (ValueError, ConfigurationError), repr(error)
        assert "xpected" in said and len(said) < 1000, said
        return None

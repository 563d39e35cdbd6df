"""A NaN loss raises `NanLossError`; other errors keep their type."""

import math

import pytest
import torch
from allennlp.training import TrainerCallback
from snippets import CROSS_ENTROPY

from structured_energy.models import StructuredEnergyModel
from structured_energy.testing import train_snippet
from structured_energy.training import NanLossError


def test_nan_of_a_regularizer_names_the_regularizer(tmp_path, monkeypatch):
    def penalty(model):
        return torch.tensor(math.nan)

    monkeypatch.setattr(StructuredEnergyModel, "get_regularization_penalty", penalty)
    message = "NaN in epoch 0, batch 1: every logged value is finite, so look at the regularizer"
    with pytest.raises(NanLossError, match=message):
        train_snippet(CROSS_ENTROPY, tmp_path)


@TrainerCallback.register("failing-with-the-text-of-a-nan-loss")
class Failing(TrainerCallback):
    def on_batch(self, *arguments, **settings):
        raise ValueError("nan loss encountered")


def test_an_error_with_the_text_of_a_nan_loss_keeps_its_type(tmp_path):
    over = {"trainer": {"callbacks": ["failing-with-the-text-of-a-nan-loss"]}}
    with pytest.raises(ValueError, match="nan loss encountered") as caught:
        train_snippet(CROSS_ENTROPY, tmp_path, over)
    assert type(caught.value) is ValueError

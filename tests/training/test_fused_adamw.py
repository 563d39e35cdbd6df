"""The fused optimiser against torch's plain one, with weights in any memory layout."""

import copy

import pytest
import torch

from structured_energy.encoders.sparse_layer import by_column
from structured_energy.training.fused_adamw import FusedAdamW
from structured_energy.training.joint_optimizer import JointOptimizer


@pytest.mark.parametrize("divided", ["by the kernel", "where the norm is measured"])
def test_gradients_are_divided_by_the_number_of_accumulated_batches(divided):
    torch.manual_seed(0)
    start = torch.randn(5, 7)
    weights = [torch.nn.Parameter(start.clone()) for _ in range(2)]
    fused, reference = (FusedAdamW([("weight", weight)], lr=0.1) for weight in weights)
    norm = True if divided == "where the norm is measured" else None
    joint = JointOptimizer({"network": fused}, {"network": 3}, {"network": norm})
    for count in (3, 3, 1, 2, 3):
        gradient = torch.randn(5, 7)
        weights[0].grad, weights[1].grad = gradient.clone(), gradient / count
        joint.accumulated["network"] = 2
        joint.average(count)
        assert (fused.grad_scale is None) == (count == 1 or norm is not None)
        joint.step()
        reference.step()
        assert torch.equal(*weights)


@pytest.mark.parametrize("layout", [by_column, torch.clone], ids=["by column", "by row"])
@pytest.mark.parametrize("of_gradient", [by_column, torch.clone], ids=["by column", "by row"])
@pytest.mark.parametrize("of_checkpoint", [by_column, torch.clone], ids=["by column", "by row"])
def test_steps_do_not_depend_on_the_layout(layout, of_gradient, of_checkpoint):
    torch.manual_seed(0)
    start = torch.randn(5, 7)
    reference = torch.nn.Parameter(start.clone())
    weight = torch.nn.Parameter(layout(start))
    plain = torch.optim.AdamW([reference], lr=0.1, weight_decay=0.3)
    fused = FusedAdamW([("weight", weight)], lr=0.1, weight_decay=0.3)
    for step in range(5):
        gradient = torch.randn(5, 7)
        reference.grad, weight.grad = gradient.clone(), of_gradient(gradient)
        plain.step()
        fused.step()
        torch.testing.assert_close(weight, reference)
        if step == 2:  # a checkpoint, perhaps of weights in another layout
            state = copy.deepcopy(fused.state_dict())
            for values in state["state"].values():
                for name in ("exp_avg", "exp_avg_sq"):
                    values[name] = of_checkpoint(values[name])
            fused = FusedAdamW([("weight", weight)], lr=0.1, weight_decay=0.3)
            fused.load_state_dict(state)

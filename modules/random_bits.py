"""Random numbers of few bits, which a CPU draws faster than random numbers of full precision."""

import torch

_FEWEST = 4
_LEVELS = 2**15
_EVEN = -0x1_0001_0001_0002  # a mask of the last bit of each of four numbers of 16 bits


def draw_words(count: int) -> torch.Tensor:
    """Return words of 64 random bits, enough for `count` numbers of 16 bits."""
    return torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)


def uniform_numbers(count: int) -> torch.Tensor:
    """Return integers of 16 bits, uniform from −32,768 to 32,767, `(count,)`."""
    return draw_words(count).view(torch.int16)[:count]


def draws_few_bits(probabilities: torch.Tensor, num_samples: int) -> bool:
    """Return whether `bernoulli` draws so many samples, on this device, faster than by comparing
    numbers of full precision."""
    on_cpu = probabilities.device.type == "cpu" and not torch.compiler.is_compiling()
    return on_cpu and num_samples >= _FEWEST


def bernoulli(probabilities: torch.Tensor, num_samples: int) -> torch.Tensor:
    """Draw 0 or 1 `(batch, num_samples, ...)`, of the dtype of the probabilities `(batch, ...)`.

    A number of 15 bits decides over each draw: it is 1 below a threshold, which is the probability
    times 2¹⁵, rounded up or down at random, so that the probability is exact. The samples of an
    instance share the rounding, which correlates them by less than 2⁻³².

    >>> bernoulli(torch.tensor([[0.0, 1.0]]), num_samples=2).tolist()
    [[[0.0, 1.0], [0.0, 1.0]]]
    """
    single = torch.promote_types(probabilities.dtype, torch.float32)
    levels = probabilities.to(single).mul(_LEVELS)
    levels = levels.add_(torch.rand_like(levels)).floor_()
    # The numbers are even, from −2¹⁵ to 2¹⁵ − 2. All are below 2¹⁵ − 1, and none below −2¹⁵.
    thresholds = levels.mul_(2).sub_(_LEVELS).clamp_(max=_LEVELS - 1).to(torch.int16).unsqueeze(1)
    shape = (len(probabilities), num_samples, *probabilities.shape[1:])
    drawn = torch.empty(shape, dtype=probabilities.dtype)
    numbers = draw_words(drawn.numel()).bitwise_and_(_EVEN).view(torch.int16)
    return torch.lt(numbers[: drawn.numel()].view(shape), thresholds, out=drawn)

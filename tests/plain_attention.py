"""Self-attention over one sentence, token by token."""

import math

import torch


def positions(size, length):
    """Return the encoding of Vaswani et al. (2017, section 3.5), sines before cosines."""
    count = size // 2
    rates = [math.exp(-i * math.log(1e4) / (count - 1)) for i in range(count)]
    rows = [
        [math.sin(t * rate) for rate in rates] + [math.cos(t * rate) for rate in rates]
        for t in range(length)
    ]
    return torch.tensor(rows, dtype=torch.float64)


def attention_over(term, embedded):
    """The score `self-attention` of the embeddings `(length, hidden_size)` of one sentence."""
    h = embedded + positions(embedded.shape[1], len(embedded))
    query, key, value = (h @ term.projections.weight.T + term.projections.bias).chunk(3, dim=1)
    size = h.shape[1] // term.num_heads
    score = torch.zeros(()).double()
    for t in range(len(h)):
        near = [j for j in range(len(h)) if term.window is None or abs(j - t) <= term.window]
        attended = []
        for head in range(term.num_heads):
            part = slice(head * size, (head + 1) * size)
            weights = [torch.exp(query[t, part] @ key[j, part] / math.sqrt(size)) for j in near]
            total = sum(weights)
            attended.append(
                sum(w / total * value[j, part] for w, j in zip(weights, near, strict=True))
            )
        hidden = term.hidden(torch.cat([h[t], *attended]))
        score = score + term.projection.weight[0] @ torch.log1p(hidden.exp())
    return score

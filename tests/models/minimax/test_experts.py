"""Which experts a token goes to, and what comes of it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.models.minimax.experts import mixture, route


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@given(count=st.integers(1, 40), experts=st.integers(2, 9), chosen=st.integers(1, 2))
def test_every_token_gets_its_experts_by_their_shares(count: int, experts: int, chosen: int) -> None:
    inputs, gate, matrices = random(count, 6), random(experts, 6), random(experts, 6, 6)
    numbers, shares = route(inputs, gate, chosen)
    found = mixture(inputs, numbers, shares, lambda expert, rows: rows @ matrices[expert])
    for token in range(count):
        likelihoods = (gate.double() @ inputs[token].double()).softmax(0)
        best = likelihoods.argsort(descending=True)[:chosen]
        weighed = [likelihoods[e] / likelihoods[best].sum() * (inputs[token] @ matrices[e]).double() for e in best]
        assert torch.allclose(found[token].double(), torch.stack(weighed).sum(0), atol=1e-5)


def test_experts_that_no_token_needs_are_not_touched() -> None:
    called = []

    def work(expert: int, rows: torch.Tensor) -> torch.Tensor:
        called.append((expert, len(rows)))
        return rows

    mixture(random(3, 6), torch.tensor([[4, 1], [1, 30], [4, 1]]), torch.full((3, 2), 0.5), work)
    assert called == [(1, 3), (4, 2), (30, 1)]


def test_routing_is_in_float32() -> None:
    """Two gates that are one in bfloat16 stay two."""
    gate = torch.tensor([[1.0, 0.0], [1.0 + 2**-12, 0.0]])
    numbers, shares = route(torch.ones(1, 2, dtype=torch.bfloat16), gate, 1)
    assert numbers.tolist() == [[1]] and shares.dtype == torch.float32

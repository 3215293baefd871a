"""R-Drop and adversarial embeddings: what they add to the gradients, and that nothing is left behind."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fenzhen.learning.encoder import Outputs, TriageBert, new_encoder
from fenzhen.learning.objectives import backward
from fenzhen.learning.recipe import EncoderRecipe, HeadsRecipe

SMALL = EncoderRecipe(hidden=64, layers=1, heads=1, intermediate=64, positions=32)


@pytest.fixture
def model() -> TriageBert:
    torch.manual_seed(0)
    made = TriageBert(new_encoder(SMALL, 50), HeadsRecipe(vector=8, ngram_buckets=0), 3, 2)
    made.encoder.drop(0.3)
    return made.train()


def step(model: TriageBert) -> tuple[Callable[[], Outputs], Callable[[Outputs], Tensor]]:
    ids = torch.randint(1, 50, (4, 12), generator=torch.Generator().manual_seed(1))
    ones = torch.ones_like(ids)
    target = torch.tensor([0, 1, 2, 0])

    def forward() -> Outputs:
        found: Outputs = model(ids, ones, ones)
        return found

    return forward, lambda out: torch.nn.functional.cross_entropy(out.topic, target)


def gradients(model: TriageBert, **options: float) -> tuple[float, list[Tensor]]:
    model.zero_grad()
    torch.manual_seed(3)
    loss = backward(model, *step(model), **{"r_drop": 0.0, "adversarial": 0.0, **options})
    return loss, [p.grad.clone() for p in model.parameters() if p.grad is not None]


def test_without_options_it_is_the_plain_loss(model: TriageBert) -> None:
    loss, found = gradients(model)
    model.zero_grad()
    torch.manual_seed(3)
    forward, loss_of = step(model)
    plain = loss_of(forward())
    plain.backward()  # type: ignore[no-untyped-call]
    assert loss == pytest.approx(float(plain))
    expected = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_r_drop_costs_the_distance_between_two_masks(model: TriageBert) -> None:
    none, some = gradients(model, r_drop=1e-9)[0], gradients(model, r_drop=5.0)[0]
    assert some > none
    model.eval()  # no masks, no distance
    assert gradients(model, r_drop=5.0)[0] == pytest.approx(gradients(model)[0], rel=1e-5)


def test_adversarial_adds_gradients_and_puts_the_embeddings_back(model: TriageBert) -> None:
    model.eval()
    embeddings = model.encoder.bert.embeddings.word_embeddings.weight
    before = embeddings.detach().clone()
    plain = gradients(model)[1]
    harder = gradients(model, adversarial=2.0)[1]
    assert torch.equal(embeddings, before)
    # A second pass adds its own, from where the loss is higher.
    assert sum(float(g.norm()) for g in harder) > 1.2 * sum(float(g.norm()) for g in plain)

"""What a step of fine-tuning minimises, with what recipes may add to it: R-Drop and adversarial embeddings.

`backward` leaves the gradients in the model and says the loss. Knows no optimiser and no schedule.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fenzhen.learning.encoder import Outputs, TriageBert

Forward = Callable[[], Outputs]
Loss = Callable[[Outputs], Tensor]


def backward(model: TriageBert, forward: Forward, loss_of: Loss, *, r_drop: float, adversarial: float) -> float:
    """Gradients of the loss of one batch; `forward` runs the model on it, each time under another dropout mask.

    r_drop       weight of the distance between two such runs (Liang et al. 2021, "R-Drop"); 0 runs once
    adversarial  length of a step on the embeddings against the model, whose loss counts too (FGM, Miyato et al. 2017,
                 "Adversarial training methods for semi-supervised text classification"); 0 leaves it out
    """
    out = forward()
    loss = loss_of(out)
    if r_drop:
        again = forward()
        loss = (loss + loss_of(again)) / 2 + r_drop * (
            _apart(out.topic, again.topic) + _apart(out.emotion, again.emotion)
        )
    loss.backward()  # type: ignore[no-untyped-call]
    if adversarial:
        _against(model.encoder.bert.embeddings.word_embeddings.weight, forward, loss_of, adversarial)
    return loss.item()


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """Mean symmetric Kullback-Leibler divergence between two sets of logits."""
    p, q = torch.log_softmax(one.float(), dim=-1), torch.log_softmax(other.float(), dim=-1)
    return ((p.exp() - q.exp()) * (p - q)).sum(dim=-1).mean() / 2


def _against(embeddings: Tensor, forward: Forward, loss_of: Loss, length: float) -> None:
    """Add the gradients of the loss with the embeddings moved where it grows fastest; they are put back."""
    gradient = embeddings.grad
    if gradient is None:
        return
    norm = gradient.float().norm()
    if not torch.isfinite(norm) or norm == 0:
        return
    kept = embeddings.detach().clone()
    with torch.no_grad():
        embeddings.add_((gradient.float() * (length / norm)).to(embeddings.dtype))
    loss_of(forward()).backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        embeddings.copy_(kept)

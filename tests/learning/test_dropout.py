"""ByteDropout: the share it drops, the mean it keeps, and that it follows torch's seed and mode."""

import pytest
import torch

from fenzhen.learning.dropout import ByteDropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_drops_its_share_and_keeps_the_mean(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    found = ByteDropout(0.1)(torch.ones(1003, 257, dtype=dtype))  # not a multiple of eight
    assert found.dtype is dtype
    assert float((found == 0).float().mean()) == pytest.approx(0.1, abs=0.005)
    assert float(found.float().mean()) == pytest.approx(1.0, abs=0.005)


def test_every_place_is_dropped_as_often() -> None:
    torch.manual_seed(0)
    drop = ByteDropout(0.5)
    kept = torch.stack([drop(torch.ones(16)) for _ in range(2000)]).mean(0)
    assert kept.tolist() == pytest.approx([1.0] * 16, abs=0.1)


def test_gradients_pass_where_values_do() -> None:
    values = torch.ones(64, requires_grad=True)
    found = ByteDropout(0.5)(values)
    found.sum().backward()
    assert values.grad is not None and values.grad.tolist() == found.tolist()


def test_same_seed_same_mask_and_none_outside_training() -> None:
    drop, values = ByteDropout(0.3), torch.ones(50)
    torch.manual_seed(4)
    first = drop(values)
    torch.manual_seed(4)
    assert drop(values).tolist() == first.tolist()
    assert drop.eval()(values) is values
    assert ByteDropout(0.0)(values) is values

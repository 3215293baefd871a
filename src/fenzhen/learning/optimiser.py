"""AdamW on fp32 masters of weights that may be bf16; groups with rates of their own, an average of late weights."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and, for matrices, a weight decay."""

    parameters: list[nn.Parameter]
    learning_rate: float
    weight_decay: float


class MasterWeights:
    """AdamW (Loshchilov & Hutter 2019) on fp32 copies of bf16 weights: small updates would vanish in bf16's 8 bits."""

    def __init__(self, groups: list[Group]) -> None:
        self.parameters: list[nn.Parameter] = []
        self.masters: list[nn.Parameter] = []
        self._average: list[Tensor] | None = None
        self._averaged = 0
        self._marked: list[Tensor] = []
        self._rounded = False
        settings = []
        for group in groups:
            masters = [nn.Parameter(p.detach().float().clone()) for p in group.parameters]
            self.parameters += group.parameters
            self.masters += masters
            for decays in (True, False):
                settings.append(
                    {
                        "params": [m for m in masters if (m.ndim > 1) is decays],
                        "lr": group.learning_rate,
                        "full_rate": group.learning_rate,
                        "weight_decay": group.weight_decay if decays else 0.0,
                    }
                )
        used = [group for group in settings if group["params"]]
        self.optimiser = torch.optim.AdamW(used, betas=(0.9, 0.98), eps=1e-6, fused=True)

    def step(self, scale: float, *, rounded: bool = False) -> None:
        """One clipped update at `scale` times each group's learning rate; clears the gradients.

        With `rounded` the model gets its matrices on the int8 grid while the masters stay exact: quantisation-aware
        training with the straight-through estimator (Jacob et al. 2018), so that export has nothing left to round.
        """
        for master, parameter in zip(self.masters, self.parameters, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(self.masters, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = group["full_rate"] * scale
        self.optimiser.step()
        self._rounded = rounded
        self._write_back(self.masters, rounded)

    @torch.no_grad()
    def average(self) -> None:
        """Take the present weights into the running mean (Izmailov et al. 2018, stochastic weight averaging)."""
        self._averaged += 1
        if self._average is None:
            self._average = [master.detach().clone() for master in self.masters]
        for mean, master in zip(self._average, self.masters, strict=True):
            mean.lerp_(master, 1.0 / self._averaged)

    def mark(self) -> None:
        """Remember the weights as they are now."""
        self._marked = [master.detach().clone() for master in self.masters]

    @torch.no_grad()
    def return_to_mark(self) -> None:
        """Go back to the remembered weights; the average, which came later, is dropped."""
        for master, marked in zip(self.masters, self._marked, strict=True):
            master.copy_(marked)
        self._average, self._averaged = None, 0

    def to_model(self, model: nn.Module, *, rounded: bool = False) -> None:
        """Turn the model into fp32 and give it the averaged weights, or the last ones where none were averaged."""
        model.float()
        self._write_back(self._average or self.masters, rounded)

    @torch.no_grad()
    def _write_back(self, values: list[nn.Parameter] | list[Tensor], rounded: bool = False) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(int8_grid(value) if rounded and value.ndim == 2 else value)

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs (masters, AdamW moments, the average so far, the mark)."""
        return {
            "masters": [m.data for m in self.masters],
            "optimiser": self.optimiser.state_dict(),
            "average": self._average or [],
            "averaged": self._averaged,
            "marked": self._marked,
            "rounded": self._rounded,
        }

    @torch.no_grad()
    def restore(self, state: dict[str, object]) -> None:
        """Load what `state` gave."""
        for master, value in zip(self.masters, state["masters"], strict=True):  # type: ignore[call-overload]
            master.copy_(value)
        self._average, self._averaged = state.get("average") or None, state.get("averaged", 0)  # type: ignore[assignment]
        self._marked = state.get("marked", [])  # type: ignore[assignment]
        self._rounded = bool(state.get("rounded", False))
        self._write_back(self.masters, self._rounded)
        rates = [(group["full_rate"], group["weight_decay"]) for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
        # A run that goes on under a changed recipe follows the recipe.
        for group, (rate, decay) in zip(self.optimiser.param_groups, rates, strict=True):
            group["full_rate"], group["weight_decay"] = rate, decay


def int8_grid(matrix: Tensor) -> Tensor:
    """The nearest matrix whose rows are whole multiples, -127 … 127, of a scale each (one scale an output channel)."""
    scale = (matrix.abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-12)
    return torch.round(matrix / scale) * scale

"""Restore: the weights of an exported model back into torch, so that fine-tuning can go on from a released model.

With `round_from` at 1 or below, training leaves matrices on the int8 grid that the export stores, so they come back as
they were. `heads.bias` comes back with what was added to it after training: the wide part's bias, the shift to the
development set's frequencies, a leaning to safety. Fine-tuning moves it, and all three are then fitted anew.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from fenzhen.errors import ModelError
from fenzhen.learning.encoder import TriageBert

PREFIX = "model."  # of the exported module that holds the TriageBert
CHARACTERS = "encoder.bert.embeddings.word_embeddings"


def restore(model: TriageBert, graph: Path) -> None:
    """Give `model` what the graph holds of encoder and heads; the wide part is fitted anew after every training.

    Raises ModelError for a graph that lacks a weight or has one of another shape.
    """
    exported = onnx.load(graph).graph
    held = {one.name: numpy_helper.to_array(one) for one in exported.initializer}
    found = {name.removeprefix(PREFIX): value for name, value in held.items() if name.startswith(PREFIX)}
    found |= {f"{name}.weight": matrix for name, matrix in _matrices(exported, held).items()}
    characters = tuple(model.encoder.bert.embeddings.word_embeddings.weight.shape)
    found[f"{CHARACTERS}.weight"] = _characters(exported, held, characters)
    weights: dict[str, Tensor] = {}
    for name, now in model.state_dict().items():
        if name not in found or found[name].shape != tuple(now.shape):
            shape = found[name].shape if name in found else "nothing"
            raise ModelError(
                f"{graph}: found {shape} for {name}, expected {tuple(now.shape)}; go on from a model of the same base "
                "and the same labels"
            )
        weights[name] = torch.from_numpy(np.array(found[name]))
    model.load_state_dict(weights)


def _matrices(graph: onnx.GraphProto, held: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    """The weight of each linear layer by its name, (outputs, inputs): what is multiplied before its bias is added."""
    makers = {output: node for node in graph.node for output in node.output}
    matrices = {}
    for node in graph.node:
        for bias in node.input:
            if not (node.op_type == "Add" and bias.startswith(PREFIX) and bias.endswith(".bias")):
                continue
            product = next((makers[name] for name in node.input if name in makers), None)
            while product is not None and product.op_type not in ("MatMul", "MatMulInteger"):
                product = next((makers[name] for name in product.input if name in makers), None)
            names = [] if product is None else [n for n in product.input if n in held and held[n].ndim == 2]
            if names:
                matrices[bias.removeprefix(PREFIX).removesuffix(".bias")] = _exact(names[0], held).T
    return matrices


def _exact(name: str, held: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    """A matrix as fp32; int8 ones times their scale an output channel."""
    matrix = held[name].astype(np.float32)
    if name.endswith("_quantized"):
        matrix = matrix * held[name.replace("_quantized", "_scale")].astype(np.float32)
    return matrix


def _characters(
    graph: onnx.GraphProto, held: dict[str, NDArray[np.generic]], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """The table of characters, which export leaves nameless: int8 rows, and the scales gathered by the same ids."""
    gathers = [n for n in graph.node if n.op_type in ("Gather", "GatherND") and n.input[0] in held]
    for rows in gathers:
        table = held[rows.input[0]]
        if table.dtype != np.int8 or table.shape != shape or rows.input[0].startswith(PREFIX):
            continue
        for scales in gathers:
            scale = held[scales.input[0]]
            if scales.input[1] == rows.input[1] and scale.shape == (shape[0], 1):
                exact: NDArray[np.float32] = table.astype(np.float32) * scale.astype(np.float32)
                return exact
    return np.zeros((0, 0), dtype=np.float32)

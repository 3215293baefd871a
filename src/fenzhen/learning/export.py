"""Export: a trained TriageBert to one int8 ONNX graph, refused where it no longer says what was trained.

The graph takes one message (batch axis fixed at 1, length free), so dynamic activation scales can't mix messages.
Two gates: torch -> fp32 ONNX may not flip a single topic; fp32 -> int8 may flip few, and may take no message out of
the safety topics. Of several ways to quantise, fastest first, the first that passes is kept.
"""

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from fenzhen.errors import ExportRefused
from fenzhen.learning.encoder import TriageBert
from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.normalise import normalise
from fenzhen.text.tokenise import Tokeniser
from fenzhen.understanding.calibration import Calibration
from fenzhen.understanding.onnx_classifier import OUTPUTS, Logits, OnnxGraph
from fenzhen.understanding.readout import best_topic

OPSET = 18


@dataclass(frozen=True)
class Exported:
    """What was exported and how it compares: flips are counted over `messages` messages."""

    quantisation: str
    messages: int
    fp32_flips: int
    int8_flips: int
    safety_lost: int
    megabytes: float


class _OneMessage(nn.Module):
    """The graph's signature: ids and segments of a single message, no padding, hence no mask input."""

    def __init__(self, model: TriageBert) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, segments: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        out = self.model(input_ids, segments, torch.ones_like(input_ids))
        return out.topic, out.emotion, out.needs_human, out.vector


def export(
    model: TriageBert,
    tokeniser: Tokeniser,
    taxonomy: Taxonomy,
    messages: Sequence[Message],
    calibration: Calibration,
    target: Path,
    *,
    int8_flips: float = 0.01,
    say: Callable[[str], None] = lambda line: None,
) -> Exported:
    """Write the int8 graph to `target`. Raises ExportRefused, naming the messages' numbers, when a gate fails."""
    wrapped = _OneMessage(model).eval()
    normalised = [normalise(message.text) for message in messages]
    with tempfile.TemporaryDirectory() as folder:
        fp32 = Path(folder) / "fp32.onnx"
        to_onnx(wrapped, fp32)
        reference = OnnxGraph(str(fp32), tokeniser).run(messages, normalised)
        fp32_topics = _topics(reference, taxonomy, calibration)
        lost = _topics(_torch_logits(wrapped, tokeniser, messages, normalised), taxonomy, calibration) != fp32_topics
        if lost.any():
            raise ExportRefused(f"torch and fp32 ONNX disagree on messages {_numbers(lost)}: the export is wrong")
        small = Path(folder) / "rows.onnx"
        to_onnx(_OneMessage(with_int8_rows(model)).eval(), small)
        refused = []
        for number, (name, lean, excluded) in enumerate(quantisations(small)):
            draft = Path(folder) / f"{number}.onnx"
            quantise(small, draft, excluded, lean, [taxonomy.topic_index(topic) for topic in taxonomy.safety])
            topics = _topics(OnnxGraph(str(draft), tokeniser).run(messages, normalised), taxonomy, calibration)
            flips, safety = topics != fp32_topics, _safety_lost(fp32_topics, topics, taxonomy)
            if flips.sum() <= int8_flips * len(messages) and not safety.any():
                target.write_bytes(draft.read_bytes())
                size = target.stat().st_size / 1e6
                return Exported(name, len(messages), 0, int(flips.sum()), 0, round(size, 2))
            refused.append(f"{name}: {flips.sum()} flips {_numbers(flips)}, {safety.sum()} out of the safety topics")
            say(f"not exported as {refused[-1]}")
    raise ExportRefused(
        f"int8 changes too many of {len(messages)} labels, at most {int8_flips:.1%} and none out of the safety topics: "
        + "; ".join(refused)
    )


class _Int8Rows(nn.Module):
    """An embedding whose rows are int8 with a scale each: a quarter of the size, far closer than one scale for all."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        weight = embedding.weight.detach()
        scale = (weight.abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-12)
        self.register_buffer("rows", torch.round(weight / scale).to(torch.int8))
        self.register_buffer("scale", scale)
        self.rows: Tensor
        self.scale: Tensor

    def forward(self, ids: Tensor) -> Tensor:
        return self.rows[ids].to(torch.float32) * self.scale[ids]


def with_int8_rows(model: TriageBert) -> TriageBert:
    """A copy of the model whose two large tables, characters and n-grams, are stored as int8 rows."""
    copied = copy.deepcopy(model).eval()
    embeddings = copied.encoder.bert.embeddings
    embeddings.word_embeddings = _Int8Rows(embeddings.word_embeddings)  # type: ignore[assignment]
    if copied.wide is not None:
        copied.wide.table = _Int8Rows(copied.wide.table)
    return copied


def to_onnx(wrapped: nn.Module, path: Path) -> None:
    """fp32 graph with a free length axis and a batch axis of exactly 1."""
    ids = torch.randint(100, 200, (1, 24))
    segments = torch.cat([torch.zeros(1, 8, dtype=torch.int64), torch.ones(1, 16, dtype=torch.int64)], dim=1)
    length = torch.export.Dim("length", min=3, max=128)
    program = torch.onnx.export(
        wrapped,
        (ids, segments),
        input_names=["input_ids", "segments"],
        output_names=list(OUTPUTS),
        dynamic_shapes={"input_ids": {1: length}, "segments": {1: length}},
        dynamo=True,
        external_data=False,
        opset_version=OPSET,
        verbose=False,
    )
    if program is None:
        raise ExportRefused("torch.onnx.export returned no program")
    program.save(str(path))
    graph = onnx.load(str(path))
    # The exporter's inferred shapes contradict those of the quantiser.
    del graph.graph.value_info[:]
    onnx.save(graph, str(path))


def quantisations(fp32: Path) -> list[tuple[str, float, list[str]]]:
    """Ways to quantise, fastest first: a name, how far to lean, and the MatMul nodes that stay in fp32.

    Of the products the second of a feed-forward block rounds worst: what goes into it after the GELU has outliers. The
    first block's error goes through all later layers, so that one product in fp32 mends most flips. Leaning adds to
    the logits of the safety topics what rounding may take from them, so that where two topics are as good as tied the
    message stays with people. Last come the dear ways.
    """
    graph = onnx.load(str(fp32)).graph
    shapes = {initializer.name: tuple(initializer.dims) for initializer in graph.initializer}
    products = [n for n in graph.node if n.op_type in ("MatMul", "Gemm") and n.input[1] in shapes]
    names = [node.name for node in products]
    narrowing = [n.name for n in products if n.op_type == "MatMul" and shapes[n.input[1]][0] > shapes[n.input[1]][1]]
    first, two = narrowing[:1], narrowing[:2]
    return [
        ("int8", 0.0, []),
        ("int8 but for one product", 0.0, first),
        ("int8 but for one product, leaning 0.05 to safety", 0.05, first),
        ("int8 but for one product, leaning 0.1 to safety", 0.1, first),
        ("int8 but for one product, leaning 0.2 to safety", 0.2, first),
        ("int8 but for two products, leaning 0.1 to safety", 0.1, two),
        ("int8 but for two products, leaning 0.2 to safety", 0.2, two),
        ("int8 leaning 0.2 to safety, first half of the products fp32", 0.2, names[: len(names) // 2]),
        ("int8 tables, fp32 products", 0.0, names),
    ]


def quantise(fp32: Path, target: Path, excluded: list[str], lean: float = 0.0, leaning: Sequence[int] = ()) -> None:
    """Dynamic int8 matrix products: weights per channel, activations per call; `leaning` topics gain `lean`."""
    quantize_dynamic(
        str(fp32),
        str(target),
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=excluded,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    if lean:
        graph = onnx.load(str(target))
        [bias] = [tensor for tensor in graph.graph.initializer if tensor.name.endswith("heads.bias")]
        values = numpy_helper.to_array(bias).copy()
        values[list(leaning)] += lean  # the topics come first in the heads
        bias.CopyFrom(numpy_helper.from_array(values, bias.name))
        onnx.save(graph, str(target))


def gate_messages(messages: Sequence[Message], wanted: int) -> list[Message]:
    """At least `wanted` messages for the gates: the given ones, then, where they are few, halves of them."""
    result = list(messages)
    for cut in (2, 3, 4, 5):
        for message in messages:
            if len(result) >= wanted:
                return result
            half = message.text[: max(1, len(message.text) // cut)]
            result.append(Message(half, history=message.history) if half.strip() else message)
    if len(result) < wanted:
        raise ExportRefused(f"the gates compare {wanted} messages, found {len(messages)}; train on more examples")
    return result


@torch.no_grad()
def _torch_logits(
    wrapped: _OneMessage, tokeniser: Tokeniser, messages: Sequence[Message], normalised: Sequence[str]
) -> Logits:
    rows = []
    for message, text in zip(messages, normalised, strict=True):
        encoded = tokeniser.encode(message, text)
        rows.append([t.numpy() for t in wrapped(torch.tensor([encoded.ids]), torch.tensor([encoded.segments]))])
    return Logits(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _topics(logits: Logits, taxonomy: Taxonomy, calibration: Calibration) -> NDArray[np.int64]:
    """(n,) index of the topic that would be served. Emotion and needs_human sit on thresholds of the policy's own."""
    return np.array([best_topic(row, taxonomy) for row in calibration.topic(logits.topic).tolist()], dtype=np.int64)


def _safety_lost(before: NDArray[np.int64], after: NDArray[np.int64], taxonomy: Taxonomy) -> NDArray[np.bool_]:
    safety = [taxonomy.topic_index(topic) for topic in taxonomy.safety]
    result: NDArray[np.bool_] = np.isin(before, safety) & ~np.isin(after, safety)
    return result


def _numbers(mask: NDArray[np.bool_]) -> str:
    return ", ".join(str(number) for number in np.flatnonzero(mask)[:10]) or "(none)"

"""OnnxClassifier: the released encoder on onnxruntime and Rust tokenizers. No torch, no transformers.

The graph takes one message at a time (its batch axis is fixed at 1). So an answer can't depend on what else is in the
batch, as dynamic int8 quantisation and padding would make it; several messages run on several threads.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from fenzhen.errors import ModelError
from fenzhen.message import Message
from fenzhen.text.normalise import trace
from fenzhen.text.tokenise import Tokeniser
from fenzhen.understanding.calibration import Array
from fenzhen.understanding.classification import Classification
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.readout import read_out

OUTPUTS = ("topic", "emotion", "needs_human", "vector")


@dataclass(frozen=True, slots=True)
class Logits:
    """Raw outputs for n messages: topic (n, topics), emotion (n, emotions), needs_human (n,), vector (n, d)."""

    topic: Array
    emotion: Array
    needs_human: Array
    vector: Array


class OnnxGraph:
    """An exported graph and its tokeniser; a message in, a row of logits out. Safe to share between threads."""

    def __init__(self, graph: bytes | str, tokeniser: Tokeniser, *, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own untyped exceptions
            raise ModelError(f"onnxruntime can't load the graph: {error}") from error
        found = tuple(output.name for output in self._session.get_outputs())
        if found != OUTPUTS:
            raise ModelError(f"the graph gives {', '.join(found)}, expected {', '.join(OUTPUTS)}; export it again")
        self._tokeniser = tokeniser
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="onnx") if threads > 1 else None

    def run(self, messages: Sequence[Message], normalised: Sequence[str]) -> Logits:
        """Logits of at least one message; `normalised` are their normalised texts."""
        if self._pool is None or len(messages) == 1:
            rows = [self._one(*pair) for pair in zip(messages, normalised, strict=True)]
        else:
            rows = list(self._pool.map(self._one, messages, normalised))
        columns = rows[0] if len(rows) == 1 else [np.concatenate(column) for column in zip(*rows, strict=True)]
        return Logits(*columns)

    def _one(self, message: Message, normalised: str) -> list[Array]:
        encoded = self._tokeniser.encode(message, normalised)
        feed = {
            "input_ids": np.array([encoded.ids], dtype=np.int64),
            "segments": np.array([encoded.segments], dtype=np.int64),
        }
        outputs: list[Array] = self._session.run(OUTPUTS, feed)
        return outputs


class OnnxClassifier:
    """The encoder of a model folder as a Classifier."""

    def __init__(self, model: ModelDir, *, threads: int = 1) -> None:
        self._model = model
        tokeniser = Tokeniser.load(model.path / "tokenizer.json", model.limits)
        self._graph = OnnxGraph(str(model.path / "model.onnx"), tokeniser, threads=threads)
        self._identity = model.identity

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def identity(self) -> str:
        return self._identity

    def topic_log_odds(self, messages: Sequence[Message], topic: str) -> list[float]:
        """Calibrated log-odds of one topic for each message, which may be empty. Raises LabelError."""
        place = self._model.taxonomy.topic_index(topic)
        logits = self._graph.run(messages, [trace(message.text).text for message in messages])
        p = np.clip(self._model.calibration.topic(logits.topic)[:, place].astype(np.float64), 1e-9, 1 - 1e-9)
        odds: list[float] = np.log(p / (1 - p)).tolist()
        return odds

    def probabilities(self, messages: Sequence[Message]) -> tuple[Array, Array, Array]:
        """Calibrated, of at least one message: topic (n, topics), emotion (n, emotions), needs_human (n,)."""
        logits = self._graph.run(messages, [trace(message.text).text for message in messages])
        calibration = self._model.calibration
        return (
            calibration.topic(logits.topic),
            calibration.emotion(logits.emotion),
            calibration.needs_human(logits.needs_human),
        )

    def classify(self, messages: Sequence[Message]) -> list[Classification]:
        if not messages:
            return []
        traces = [trace(message.text) for message in messages]
        logits = self._graph.run(messages, [found.text for found in traces])
        return read_out(
            *self._model.calibration.rows(logits.topic, logits.emotion, logits.needs_human),
            self._model.taxonomy,
            vectors=logits.vector.tolist(),
            evasions=[found.evasions for found in traces],
            served_by="encoder",
        )

"""Explain: which words of a message drove its topic, by leaving each out and asking the model again.

Occlusion by deletion (Li et al. 2016, "Understanding Neural Networks through Representation Erasure"): a word's weight
is how much the log-odds of the topic fall without it. One run of the graph a word.
"""

from dataclasses import dataclass, replace

import numpy as np

from fenzhen.message import Message
from fenzhen.text.normalise import normalise
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.onnx_classifier import OnnxClassifier

MOST_PIECES = 40  # longer messages are explained in larger pieces

Driver = tuple[str, float]


@dataclass(frozen=True)
class Explainer:
    """Explains what a classifier says; safe to share between threads as the classifier is."""

    classifier: OnnxClassifier
    segmenter: Segmenter

    def drivers(self, message: Message, topic: str) -> tuple[Driver, ...]:
        """The pieces of the normalised message in order, each with its weight in nats; together they are the message.

        Positive weights speak for the topic, negative ones against it. Raises LabelError for an unknown topic.
        """
        text = normalise(message.text)
        pieces = self._pieces(text)
        without = ["".join(pieces[:n] + pieces[n + 1 :]) for n in range(len(pieces))]
        whole, *others = self.classifier.topic_log_odds([replace(message, text=t) for t in (text, *without)], topic)
        return tuple((piece, float(np.round(whole - other, 4))) for piece, other in zip(pieces, others, strict=True))

    def _pieces(self, text: str) -> list[str]:
        words: list[str] = []
        place = 0
        for word in self.segmenter.cut(text):
            end = text.index(word, place) + len(word)
            words.append(text[place:end])  # with the spaces before it, which the segmenter leaves out
            place = end
        words = [*words[:-1], words[-1] + text[place:]] if words else [text]
        size = -(-len(words) // MOST_PIECES)
        return ["".join(words[start : start + size]) for start in range(0, len(words), size)]

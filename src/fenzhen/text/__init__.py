"""Text: one normaliser for training and serving, evasive spellings, personal data, word segmentation.

`Segmenter` is imported on first use, so that normalising needs no jieba.
"""

from typing import TYPE_CHECKING, Any

from fenzhen.text.normalise import PLACEHOLDERS, Normalised, normalise, trace
from fenzhen.text.pii import mask_pii
from fenzhen.text.variants import Evasion

if TYPE_CHECKING:
    from fenzhen.text.segment import Segmenter

__all__ = ["PLACEHOLDERS", "Evasion", "Normalised", "Segmenter", "mask_pii", "normalise", "trace"]


def __getattr__(name: str) -> Any:
    if name == "Segmenter":
        from fenzhen.text.segment import Segmenter

        return Segmenter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

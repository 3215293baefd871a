"""bf16 only where the processor multiplies it; both formats train the same model."""

import pytest
import torch

from fenzhen.learning import finetune as loop
from fenzhen.learning.dataset import encode_examples
from fenzhen.learning.encoder import TriageBert, new_encoder
from fenzhen.learning.examples import Example
from fenzhen.learning.finetune import finetune, predict
from fenzhen.learning.precision import working_type
from fenzhen.learning.recipe import EncoderRecipe, FinetuneRecipe, HeadsRecipe
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.taxonomy import Taxonomy


@pytest.mark.parametrize(
    ("can", "expected"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx2": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({}, torch.float32),
    ],
)
def test_the_processor_decides(can: dict[str, bool], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert working_type() is expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_both_formats_learn_the_same_and_end_in_fp32(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "working_type", lambda: dtype)
    taxonomy = Taxonomy.of_topics({"退货", "发票"})
    examples = [Example(f"{topic}{n}", topic=topic) for topic in ("退货", "发票") for n in range(24)]
    tokeniser = build_tokeniser([example.text for example in examples], size=300, latin_words=0)
    rows = encode_examples(examples, tokeniser, taxonomy)
    torch.manual_seed(0)
    shape = EncoderRecipe(hidden=32, layers=1, heads=1, intermediate=64)
    model = TriageBert(new_encoder(shape, tokeniser.size), HeadsRecipe(vector=8), len(taxonomy.topics), 5)
    recipe = FinetuneRecipe(epochs=12, batch=8, learning_rate=1e-3)
    finetune(model, rows, recipe, tokeniser, report=lambda line: None)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (predict(model, rows).topic.argmax(1) == rows["topic"][:]).all()

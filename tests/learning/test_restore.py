"""An exported graph gives back the weights that were trained, so that fine-tuning can go on from them."""

from pathlib import Path

import pytest
import torch

from fenzhen.errors import ModelError
from fenzhen.learning.encoder import TriageBert, WideNgrams, new_encoder
from fenzhen.learning.export import _OneMessage, quantisations, quantise, to_onnx, with_int8_rows
from fenzhen.learning.optimiser import int8_grid
from fenzhen.learning.recipe import EncoderRecipe, HeadsRecipe
from fenzhen.learning.restore import restore

SHAPE = EncoderRecipe(hidden=64, layers=2, heads=1, intermediate=128)
HEADS = HeadsRecipe(vector=16, ngram_buckets=300)  # as many as tokens


def _model(seed: int, topics: int = 6) -> TriageBert:
    torch.manual_seed(seed)
    model = TriageBert(new_encoder(SHAPE, 300), HEADS, topics, 5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(int8_grid(parameter) if parameter.ndim == 2 else torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="module")
def trained() -> TriageBert:
    return _model(1)


@pytest.fixture(scope="module", params=[0, 1, -1], ids=["all int8", "one in fp32", "tables only"])
def graph(request: pytest.FixtureRequest, trained: TriageBert, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graph")
    whole = with_int8_rows(trained)
    whole.wide = WideNgrams(torch.randn(300, 12))
    to_onnx(_OneMessage(whole).eval(), folder / "fp32.onnx")
    _, _, excluded = quantisations(folder / "fp32.onnx")[request.param]
    quantise(folder / "fp32.onnx", folder / "int8.onnx", excluded)
    return folder / "int8.onnx"


def test_every_weight_comes_back(trained: TriageBert, graph: Path) -> None:
    model = _model(2)
    restore(model, graph)
    expected = trained.state_dict()
    for name, value in model.state_dict().items():
        assert torch.allclose(value, expected[name], rtol=1e-5, atol=1e-6), name


def test_a_model_of_other_labels_is_refused(graph: Path) -> None:
    with pytest.raises(ModelError, match=r"found \(12, 64\) for heads\.weight, expected \(13, 64\)"):
        restore(_model(2, topics=7), graph)

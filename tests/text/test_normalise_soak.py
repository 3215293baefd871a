"""Long form of the normaliser's properties: tens of thousands of Unicode strings (`make soak`)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fenzhen.text import mask_pii, normalise
from fenzhen.text.normalise import PLACEHOLDERS

PIECES = st.one_of(
    st.text(st.characters(), max_size=6),
    st.sampled_from(
        [*PLACEHOLDERS, "c n m", "s.b", "傻*逼", "&nbsp;", "&amp;nbsp;", "[数字x]", "😡", "#E-s01", "13800138000"]
    ),
)


@pytest.mark.soak
@settings(max_examples=30_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=8).map("".join))
def test_normalise_and_mask_are_idempotent_on_anything(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    masked = mask_pii(text)
    assert mask_pii(masked) == masked

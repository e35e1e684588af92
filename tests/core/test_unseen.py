"""Names that look alike are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.unseen import seen, unseen


@pytest.mark.parametrize(
    "char", ["\u3164", "\u2800", "\u200b", "\u202e", "\ufeff", "\u00ad", "\ufe0f", "\U000e0101", "\x7f", "\ue000"]
)
def test_what_shows_nothing_is_found_and_left_out(char: str) -> None:
    assert unseen(f"PATROL{char}1") == char
    assert seen(f"PATROL{char}1{char}") == "PATROL1"


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u3000", "\n"])
def test_a_blank_is_a_blank(blank: str) -> None:
    assert unseen(f"PATROL{blank}1") == blank
    assert seen(f"{blank}PATROL{blank}1 ") == "PATROL 1"


@pytest.mark.parametrize("name", ["PATROL-1", "Барыс 2", "Қыран", "Höhe", "哨所", "مخفر", "हिम", "🚑 1"])
def test_names_of_every_script_stay(name: str) -> None:
    assert unseen(name) is None
    assert seen(name) == name


@given(st.text(max_size=20))
def test_what_is_left_is_seen_and_stays(text: str) -> None:
    assert seen(seen(text)) == seen(text)
    assert unseen(seen(text)) is None

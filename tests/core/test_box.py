"""A box on the globe: read from a question, cut at 180 degrees, asked whether it holds a place."""

import pytest

from aquila.core.box import Box, box_of, map_box_of


def test_a_box_across_180_degrees_holds_what_lies_on_either_side_and_is_cut_in_two():
    box = box_of("179,-1,-179,1")
    assert box.holds(0, 179.5)
    assert box.holds(0, -179.5)
    assert not box.holds(0, 0)
    assert not box.holds(2, 179.5)
    assert box.halves() == (Box(179, -1, 180, 1), Box(-180, -1, -179, 1))


def test_a_box_on_the_map_may_go_on_beyond_180_degrees_and_has_a_size():
    assert map_box_of("170,-1,190,1") == Box(170, -1, 190, 1)
    for text in ("1,2,1,3", "190,0,200,1", "0,-86,1,0", "0,0,1,0"):
        with pytest.raises(ValueError, match="east beyond it"):
            map_box_of(text)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "nan,0,1,1", "0,2,1,1", "0,0,inf,1", ""])
def test_what_is_no_box_is_refused_with_what_is_allowed(text: str):
    with pytest.raises(ValueError, match=r"west,south,east,north|-90 <= south|-180\.\.180"):
        box_of(text)

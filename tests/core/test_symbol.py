"""Symbols: CoT, letters and digits, each from the other."""

import pytest

from aquila.core._symbol_table import DIGITS, LETTERS
from aquila.core.symbol import (
    AFFILIATIONS,
    affiliation,
    cot_of_sidc,
    sidc_of_cot,
    sidc_of_letters,
    with_affiliation,
    with_echelon,
)


def atom(letters: str, word: str = "f") -> str:
    return "-".join(("a", word, *letters))


@pytest.mark.parametrize(
    ("cot_type", "sidc", "lossy"),
    [
        ("a-f-G-U-C-I", "10031000001211000000", False),
        ("a-h-A-M-F-F", "10060100001101040000", False),
        ("a-n-G", "10041000000000000000", False),
        ("a-u-A", "10010100000000000000", False),
        ("a-p-G-E-V", "10001500001200000000", False),
        ("a-a-G-U-C", "10021000001209000000", False),
        ("a-s-G-U-C", "10051000001209000000", False),
        ("a-j-A", "10150100000000000000", False),
        ("a-k-A", "10160100000000000000", False),
        ("a-o-G", "10011000000000000000", True),
        ("a-f-G-U-C-I-d", "10031000001211000000", True),
        ("a-f-G-U-C-I-d-X", "10031000001211000000", True),
        ("a-f-S-C-L", "10033000000000000000", True),
        ("a-f-U-S", "10033500000000000000", True),
        ("a-f", "10030000000000000000", True),
        ("b-m-p-w", "10012500001318000000", True),
        ("b-m-p-w-GOTO", "10012500001318000000", True),
        ("b-m-p-s-m", "10012500000000000000", True),
        ("u-d-f", "10012500000000000000", True),
    ],
)
def test_a_cot_type_has_a_symbol(cot_type: str, sidc: str, lossy: bool) -> None:
    assert sidc_of_cot(cot_type) == (sidc, lossy)


def test_the_context_is_the_third_digit() -> None:
    assert sidc_of_cot("a-f-G", "REAL")[0][2] == "0"
    assert sidc_of_cot("a-f-G", "EXERCISE:DEMO")[0][2] == "1"
    assert sidc_of_cot("a-f-G", "SIMULATION:X")[0][2] == "2"


def test_every_row_of_the_table_is_exact() -> None:
    for letters, digits in DIGITS.items():
        sidc, lossy = sidc_of_cot(atom(letters))
        assert sidc == f"1003{digits[:2]}0000{digits[2:]}", letters
        assert not lossy, letters


def test_what_is_unknown_falls_back_to_its_nearest_ancestor() -> None:
    for letters in DIGITS:
        longer = letters + "9"
        if longer not in DIGITS:
            sidc, lossy = sidc_of_cot(atom(longer))
            assert sidc == sidc_of_cot(atom(letters))[0]
            assert lossy


def test_there_and_back_shows_the_same_symbol() -> None:
    """Several letter codes share one number, so the way back may give a sibling: never another picture."""
    exact = 0
    for letters in DIGITS:
        sidc, _ = sidc_of_cot(atom(letters))
        back = cot_of_sidc(sidc)
        exact += back == atom(letters)
        assert sidc_of_cot(back)[0][:10] == sidc[:10], letters
        assert sidc_of_cot(back)[0][10:14] == sidc[10:14] or LETTERS[sidc[4:6] + sidc[10:]], letters
    assert exact > 0.8 * len(DIGITS)


@pytest.mark.parametrize(
    ("letters", "sidc"),
    [
        ("SFGPUCI----F---", "10031000161211000000"),
        ("SFGPUCI--------", "10031000001211000000"),
        ("SFGAUCI---AE---", "10031012151211000000"),
        ("SHAPMFF--------", "10060100001101040000"),
        ("S*GPUCI---", "10011000001211000000"),
    ],
)
def test_letters_become_digits(letters: str, sidc: str) -> None:
    assert sidc_of_letters(letters) == (sidc, False)


@pytest.mark.parametrize("letters", ["", "SFGP", "GFGPGPP---****X"])
def test_letters_of_another_scheme_are_refused(letters: str) -> None:
    with pytest.raises(ValueError, match="letters that begin with S"):
        sidc_of_letters(letters)


def test_an_affiliation_is_read_as_it_was_written() -> None:
    sidc, _ = sidc_of_cot("a-f-G-U-C-I")
    for word, (_, letter) in AFFILIATIONS.items():
        changed = with_affiliation(sidc, word)
        assert affiliation(changed) == word
        assert cot_of_sidc(changed) == f"a-{letter}-G-U-C-I"
    assert affiliation("10091000001211000000") == "unknown"


def test_an_echelon_has_its_own_digits() -> None:
    assert with_echelon("10031000001211000000", "F") == "10031000161211000000"
    with pytest.raises(ValueError, match="one of ABC"):
        with_echelon("10031000001211000000", "Z")


def test_a_control_measure_becomes_a_marker() -> None:
    assert cot_of_sidc("10032500001318000000") == "b-m-p-w"
    assert cot_of_sidc("10032500002702000000") == "b-m-p-s-m"


def test_a_number_that_no_table_knows_still_has_an_atom() -> None:
    assert cot_of_sidc("10063000001201000000") == "a-h-S"
    assert cot_of_sidc("10063500009999999999") == "a-h-U"
    assert cot_of_sidc("10031000009999990000") == "a-f-G-U"
    assert cot_of_sidc("130310000012110000000000000000") == "a-f-G-U-C-I"


@pytest.mark.parametrize("sidc", ["", "1003", "1003100000121100000x", "SFGPUCI--------"])
def test_what_is_no_sidc_is_refused(sidc: str) -> None:
    with pytest.raises(ValueError, match="20 digits"):
        cot_of_sidc(sidc)
    with pytest.raises(ValueError, match="20 digits"):
        affiliation(sidc)


def test_an_avalanche_is_the_incident_and_no_unknown_thing() -> None:
    assert sidc_of_cot("a-n-X-i-g-a") == ("10044000001701020000", False)
    assert cot_of_sidc("10044000001701020000") == "a-n-X"

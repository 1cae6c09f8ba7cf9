"""What a token looks like, so that scanners find it and typing errors cost no statement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tokens.spelling import DIGITS, LENGTH, PREFIX, checksum, is_well_formed, new_secret


@pytest.mark.requirement("API-1")
def test_a_token_has_our_prefix_256_random_bits_and_its_checksum() -> None:
    tokens = {new_secret() for _ in range(100)}

    assert len(tokens) == 100
    for token in tokens:
        assert token.startswith(PREFIX)
        assert len(token) == LENGTH
        assert is_well_formed(token)
    assert len(DIGITS) ** (LENGTH - len(PREFIX) - 6) >= 2**256


def test_the_checksum_is_the_crc_in_base_62() -> None:
    assert checksum("123456789") == "3jZRME"  # The check value of CRC-32 is 0xCBF43926.


@given(st.integers(0, LENGTH - 1), st.sampled_from(DIGITS))
def test_one_wrong_character_is_noticed(position: int, wrong: str) -> None:
    token = new_secret()
    changed = token[:position] + wrong + token[position + 1 :]

    assert is_well_formed(changed) is (changed == token)


@given(st.text(max_size=LENGTH + 5))
def test_nothing_else_is_taken_for_a_token(text: str) -> None:
    assert not is_well_formed(text)

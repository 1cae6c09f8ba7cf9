"""Encrypted columns: nothing about a ciphertext can be changed or moved, and keys can."""

import pytest

from app.encryption import DecryptionFailed, decrypt, encrypt, is_outdated
from app.ids import uuid7

OLD, NEW = b"o" * 32, b"n" * 32
ROW = uuid7()


def test_a_text_comes_back_from_its_own_row() -> None:
    assert decrypt([NEW], encrypt([NEW], b"seed", table="totp", row_id=ROW), table="totp", row_id=ROW) == b"seed"


@pytest.mark.requirement("KEY-3")
@pytest.mark.parametrize(("table", "row_id"), [("totp", uuid7()), ("connections", ROW)])
def test_a_ciphertext_does_not_work_in_another_row_or_table(table: str, row_id: object) -> None:
    ciphertext = encrypt([NEW], b"seed", table="totp", row_id=ROW)
    with pytest.raises(DecryptionFailed):
        decrypt([NEW], ciphertext, table=table, row_id=row_id)  # type: ignore[arg-type] # UUIDs, which the list above hides


@pytest.mark.requirement("KEY-3")
def test_no_byte_of_a_ciphertext_can_be_changed() -> None:
    ciphertext = encrypt([NEW], b"seed", table="totp", row_id=ROW)
    for place in range(len(ciphertext)):
        changed = bytearray(ciphertext)
        changed[place] ^= 1
        with pytest.raises(DecryptionFailed):
            decrypt([NEW], bytes(changed), table="totp", row_id=ROW)


def test_the_same_text_never_looks_the_same() -> None:
    assert len({encrypt([NEW], b"seed", table="totp", row_id=ROW) for _ in range(10)}) == 10


@pytest.mark.requirement("KEY-2")
def test_what_an_earlier_key_encrypted_is_read_and_known_to_be_old() -> None:
    ciphertext = encrypt([OLD], b"seed", table="totp", row_id=ROW)

    assert decrypt([NEW, OLD], ciphertext, table="totp", row_id=ROW) == b"seed"
    assert is_outdated([NEW, OLD], ciphertext)
    assert not is_outdated([OLD], ciphertext)
    with pytest.raises(DecryptionFailed, match="SECRET_KEY_FALLBACKS"):
        decrypt([NEW], ciphertext, table="totp", row_id=ROW)

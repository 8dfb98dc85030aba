"""Carry records out behind the last byte of a picture.

Way: submission
Control: the picture as it was written, which every viewer shows as if nothing were there
Held by: what leaves is the picture encoded anew, and the checks say what was behind it
"""

import io
import zlib

import PIL.Image
import pytest

from tests.redteam import submitting

RECORDS = b"person,diagnosis\n" + b"".join(b"%d,secret-diagnosis\n" % number for number in range(200))


def picture() -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (64, 48), "white").save(out, "PNG")
    return out.getvalue()


def with_chunk(data: bytes) -> bytes:
    """The picture with the records in a chunk of its own before the end."""
    chunk = b"puRE" + RECORDS
    made = len(RECORDS).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return data[:-12] + made + data[-12:]


FORMS = {"behind the end": picture() + RECORDS, "in a private chunk": with_chunk(picture())}


@pytest.mark.parametrize("form", FORMS)
def test_control_the_picture_is_shown_and_holds_them(form) -> None:
    PIL.Image.open(io.BytesIO(FORMS[form])).load()
    assert RECORDS in FORMS[form]


@pytest.mark.parametrize("form", FORMS)
def test_they_are_found_and_do_not_leave(enclave, inside, form) -> None:
    name = f"{submitting.fresh()}.png"
    submitting.write(inside, name, FORMS[form])
    (kept,) = submitting.submit(enclave, submitting.draft(enclave, name))
    assert kept.verdict == "block"
    assert b"secret-diagnosis" not in submitting.leaving(enclave, kept)

"""Direct identifiers in text: numbers with check digits, addresses, telephone numbers. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import stdnum.bg.egn
import stdnum.br.cpf
import stdnum.cz.rc
import stdnum.dk.cpr
import stdnum.ee.ik
import stdnum.es.dni
import stdnum.es.nie
import stdnum.fi.hetu
import stdnum.fr.nir
import stdnum.gb.nhs
import stdnum.iban
import stdnum.it.codicefiscale
import stdnum.luhn
import stdnum.nl.bsn
import stdnum.no.fodselsnummer
import stdnum.pl.pesel
import stdnum.pt.cc
import stdnum.ro.cnp
import stdnum.se.personnummer
import stdnum.us.ssn


@dataclass(frozen=True)
class Hit:
    """One identifier: what it is and how it begins (never the whole: a finding must not leak it)."""

    what: str
    masked: str
    certain: bool


def _mask(text: str) -> str:
    return text[:2] + "…" + f"({len(text)} characters)"


_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,24}(?![\w-])")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Z0-9])")
_CARD = re.compile(
    r"(?<![\d.,-])(?:\d{4}[ -]?){3}\d{4}(?![\d-]|[.,]\d)|(?<![\d.])3[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\d.])"
)
_NINO = re.compile(
    r"(?<![A-Z0-9])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Z0-9])"
)
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-\d{2}-\d{4}(?![\d-])")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){6,12}|\(\d{3}\) ?\d{3}-\d{4}|0\d{3,4}[ -]\d{3}[ -]?\d{3,4}|0[1-9](?:[ .]\d{2}){4})(?!\w|\.\d)"
)
_IP = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\d|\.\d)")
_MAC = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
_POSTCODE = re.compile(r"(?<![A-Z0-9])(?:[A-Z]{1,2}\d[A-Z\d]?) \d[ABD-HJLNP-UW-Z]{2}(?![A-Z0-9])")
_DIGITS = re.compile(
    r"(?<![\d.,A-Za-z+-])(?:\d{3}[ -]\d{3}[ -]\d{4}|\d{9,13}|\d{6}[-+A ]?\d{3,4}[0-9A-Z]?|\d{8}[A-Z]|[XYZ]\d{7}[A-Z]|[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]|[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2})(?![\dA-Za-z]|\.\d|,\d)"
)
_COORDINATES = re.compile(r"(?<![\d.])-?\d{1,2}\.\d{4,},\s*-?\d{1,3}\.\d{4,}(?![\d.])")

_NATIONAL: tuple[tuple[str, Callable[[str], bool], re.Pattern[str]], ...] = (
    ("NHS number", stdnum.gb.nhs.is_valid, re.compile(r"^[1-9]\d{2}[ -]?\d{3}[ -]?\d{4}$")),
    ("French social security number", stdnum.fr.nir.is_valid, re.compile(r"^[12]")),
    ("Italian tax code", stdnum.it.codicefiscale.is_valid, re.compile(r"^[A-Z]{6}")),
    ("Spanish identity number", stdnum.es.dni.is_valid, re.compile(r"^\d{8}[A-Z]$")),
    ("Spanish foreigner number", stdnum.es.nie.is_valid, re.compile(r"^[XYZ]")),
    ("Finnish identity code", stdnum.fi.hetu.is_valid, re.compile(r"^\d{6}[-+A]\d{3}[0-9A-Z]$")),
    ("Swedish identity number", stdnum.se.personnummer.is_valid, re.compile(r"^(?:\d{6}|\d{8})[-+]?\d{4}$")),
    ("Danish CPR number", stdnum.dk.cpr.is_valid, re.compile(r"^\d{6}-\d{4}$")),
    ("Polish PESEL", stdnum.pl.pesel.is_valid, re.compile(r"^\d{11}$")),
    ("Norwegian birth number", stdnum.no.fodselsnummer.is_valid, re.compile(r"^\d{6} ?\d{5}$")),
    ("Romanian CNP", stdnum.ro.cnp.is_valid, re.compile(r"^\d{13}$")),
    ("Estonian identity code", stdnum.ee.ik.is_valid, re.compile(r"^\d{11}$")),
    ("Bulgarian EGN", stdnum.bg.egn.is_valid, re.compile(r"^\d{10}$")),
    ("Czech birth number", stdnum.cz.rc.is_valid, re.compile(r"^\d{6}/?\d{3,4}$")),
    ("Brazilian CPF", stdnum.br.cpf.is_valid, re.compile(r"^\d{11}$")),
    ("Dutch BSN", stdnum.nl.bsn.is_valid, re.compile(r"^\d{9}$")),
)
_CONTEXT = re.compile(
    r"nhs|mrn|patient|ssn|social.?sec|national.?id|identity|passport|bsn|pesel|cpr|personnummer|nino|insurance.?n|tax.?(?:id|code)|member.?(?:id|no)|phone|tel\b|mobile|log[ -]?in\b|user(?:name)?\s*[=:]",
    re.IGNORECASE,
)


def hits(text: str) -> Iterator[Hit]:
    """Identifiers in `text`; numbers without a form of their own count only where their check digits hold."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Hit("e-mail address", _mask(match.group()), True)
    for match in _IBAN.finditer(text):
        if stdnum.iban.is_valid(match.group()):
            yield Hit("IBAN", _mask(match.group()), True)
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if stdnum.luhn.is_valid(digits) and digits[0] in "23456" and len(set(digits)) > 1:
            yield Hit("credit card number", _mask(digits), True)
    for match in _NINO.finditer(text):
        yield Hit("National Insurance number", _mask(match.group()), True)
    for match in _SSN.finditer(text):
        if stdnum.us.ssn.is_valid(match.group()):
            yield Hit("US social security number", _mask(match.group()), True)
    for match in _PHONE.finditer(text):
        yield Hit("telephone number", _mask(match.group()), match.group().startswith(("+", "(")))
    for match in _IP.finditer(text):
        if not match.group().startswith(("0.", "127.", "1.", "2.", "3.", "4.", "5.")):
            yield Hit("network address", _mask(match.group()), False)
    for match in _MAC.finditer(text):
        yield Hit("hardware address", _mask(match.group()), False)
    for match in _POSTCODE.finditer(text):
        yield Hit("postcode", _mask(match.group()), False)
    if re.search(r"\b(?:lat|latitude|lon|lng|longitude|coordinates|gps)\b", text[:200_000], re.IGNORECASE):
        for match in _COORDINATES.finditer(text):
            yield Hit("coordinates of a place", _mask(match.group()), False)
    for match in _DIGITS.finditer(text):
        digits = match.group()
        for what, valid, shape in _NATIONAL:
            if shape.match(digits) and valid(digits):
                formed = not digits.isdigit()
                yield Hit(what, _mask(digits), formed)
                break


def in_context(text: str) -> bool:
    """Whether the words around numbers speak of identifiers."""
    return bool(_CONTEXT.search(text))

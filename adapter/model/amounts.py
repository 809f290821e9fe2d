"""Amounts as people and programs write them, where the text is unambiguous.

`$1,299.00`, `$1,299`, `1.299,00 €`, `1 299,00`, `CHF 1'299.-` and `-US$ 5` are read. `1,299` and `1.299 €`
are not: the mark may separate thousands or three decimals, as in fuel prices. Amounts are exact: integers, or
the float whose shortest decimal is the amount.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from typing import Any

#: Ways to write a currency: its sign, with a country's letters before a dollar, its code, a word.
SIGN = r"(?:[A-Za-z]{0,3}\$|[¢-¥֏؋৲৳฿₠-⃀﷼]|[A-Za-z]{3}|kr\.?|Kč|zł|Ft|R|Rs\.?|S/\.?|лв\.?|руб\.?|р\.)"
_TEXT = re.compile(
    rf"(?P<minus>[-+]?)\s*(?P<before>{SIGN})?\s*(?P<inner>[-+]?)"
    rf"(?P<digits>\.?\d[\d., ']{{0,60}})(?P<dash>[-–])?\s*(?P<after>{SIGN})?\Z"
)
_WORD = re.compile(r"[A-Za-z]{3}\Z")
#: The codes of ISO 4217 that are in use.
_IN_USE = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW "
    "KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
    "NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD "
    "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES "
    "VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG "
)
_CODES = frozenset(_IN_USE.split())
#: Codes that are accepted in lower case too; others may be words (`all 5`, `top 10`).
_SMALL = frozenset({"aud", "cad", "chf", "eur", "gbp", "jpy", "sek", "usd"})
#: Signs of currencies whose thousands separator is a comma, which is never the decimal mark.
_ENGLISH = frozenset(
    {"$", "US$", "A$", "C$", "HK$", "NZ$", "£", "¥", "₩", "₹", "USD", "GBP", "INR", "JPY", "KRW"}
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2},\d{3}\Z")
#: Integer parts with separated thousands, or lakhs and crores, each with its mark.
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:(?P<mark>[., '])\d{3})(?:(?P=mark)\d{3})*\Z")
_INDIAN = re.compile(r"[1-9]\d?(?:,\d{2})+,\d{3}\Z")
_DIGITS = re.compile(r"\d{1,30}\Z")
_PLAIN = re.compile(r"[-+]?\d{1,30}(?:\.\d{1,30})?\Z")
#: Longer text, blanks included, is not an amount.
_LONGEST = 200
#: The maximum number of decimals of a currency in ISO 4217.
MOST_DIGITS = 4
#: A double of this size has no bits for a fraction: adding and subtracting it rounds to an integer.
_ROUNDS = 1.5 * 2**52
_MINUS = str.maketrans("−’ʼ`´\u2009\u202f\u00a0", "-''''   ")


def read_amount(text: str) -> int | float | None:
    """Return the amount of a text, None where it is none or ambiguous."""
    if len(text) > _LONGEST:
        return None
    text = unicodedata.normalize("NFKC", text.strip().translate(_MINUS))
    if _PLAIN.match(text):
        return _number(text)
    found = _TEXT.match(text)
    if found is None or (found["minus"] and found["inner"]):
        return None
    signs = {sign for sign in (found["before"], found["after"]) if sign}
    if any(_WORD.match(sign) and sign not in _CODES and sign not in _SMALL for sign in signs):
        return None
    digits = found["digits"].strip()
    if _THOUSANDS.match(digits) and not signs.isdisjoint(_ENGLISH):
        digits = digits.replace(",", "")
    digits = f"0{digits}" if digits[0] == "." else digits
    if found["dash"]:  # `1'299.-`: no hundredths
        digits = digits.rstrip(".,") + ".00" if digits[-1] in ".," else "none"
    written = _written(digits)
    return None if written is None else _number((found["minus"] or found["inner"]) + written)


def _written(digits: str) -> str | None:
    """Return digits in plain form: no thousands separators, and a point before decimals."""
    whole, point, rest = _parted(digits)
    if rest and not _DIGITS.match(rest):
        return None
    if not _DIGITS.match(whole):
        grouped = _GROUPED.match(whole)
        if (grouped is None or grouped["mark"] == point) and not _INDIAN.match(whole):
            return None
        whole = re.sub(r"\D", "", whole)
    return f"{whole}.{rest}" if rest else whole


def _parted(digits: str) -> tuple[str, str, str]:
    """Return the integer part, the decimal mark and the fraction; of an ambiguous text no digits."""
    marks = [mark for mark in digits if mark in ".,"]
    if not marks or (len(marks) > 1 and len(set(marks)) == 1):
        return digits, "", ""
    point = marks[-1]
    whole, _, rest = digits.rpartition(point)
    if len(marks) == 1 and len(rest) == 3 and _DIGITS.match(whole) and len(whole) < 4 and whole[0] != "0":
        return "", point, ""  # thousands, or three decimals
    return whole, point, rest or "none"


def _number(text: str) -> int | float | None:
    if "." not in text:
        return int(text)
    return _amount_of_float(float(text))


def is_rounded(number: float) -> bool:
    """Return whether a float is an amount of hundredths, as most are; an exact check is ten times slower."""
    return -1e12 < number < 1e12 and (number * 100 + _ROUNDS - _ROUNDS) / 100 == number


def without_noise(number: float) -> float | None:
    """Return the amount of at most four decimals that a float represents, None where it represents none.

    Arithmetic leaves `60.349999999999994` of 60.35; an SDK that keeps single precision sends
    `22.8600006103516` for 22.86.
    """
    if is_rounded(number):
        return number
    if not -1e12 < number < 1e12:
        return number if number - number == 0 and number == int(number) else None
    amount = round(number, MOST_DIGITS)
    if abs(amount - number) <= 1e-12 * abs(number):
        return amount
    for digits in range(MOST_DIGITS + 1):
        amount = round(number, digits)
        (single,) = struct.unpack("f", struct.pack("f", amount))
        if abs(single - number) <= 1e-14 * abs(single):
            return amount
    return None


def _amount_of_float(number: float) -> float | None:
    """Return a number without noise; more decimals are accepted too, infinity and NaN are not."""
    found = without_noise(number)
    return number if found is None and number - number == 0 else found


def amount_of(value: Any) -> int | float | None:
    """Return the amount of a JSON value, a number or text; None where it is none."""
    kind = value.__class__
    if kind is float:
        return _amount_of_float(value)
    if kind is int:
        return int(value)
    return read_amount(value) if kind is str else None

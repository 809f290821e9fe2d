"""Replace personal data in a recorded payload, so that it can stand among the files of a team.

The same value is replaced by the same text wherever it occurs, so that ids still match. What a name does not
tell to be personal stays: whoever commits a case should read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from adapter.model.emails import each_in, normal

#: By what a member's name, in small letters and digits only, ends with: the kind of person's data.
_KINDS: dict[str, tuple[str, ...]] = {
    "name": ("firstname", "lastname", "fullname", "middlename", "username", "nickname", "displayname"),
    "phone": ("phone", "phonenumber", "mobile", "mobilenumber", "msisdn"),
    "street": ("street", "street1", "street2", "address1", "address2", "line1", "line2", "addressline1"),
    "postcode": ("postalcode", "postcode", "zip", "zipcode"),
    "birthday": ("birthday", "birthdate", "dateofbirth", "dob"),
    "ip": ("ip", "ipaddress"),
    "device": ("advertisingid", "idfa", "idfv", "deviceid", "devicetoken", "pushtoken", "fingerprint"),
    "position": ("latitude", "longitude", "lat", "lng", "lon"),
    "secret": ("password", "token", "writekey", "apikey", "secret", "authorization", "iban", "cardnumber"),
}
_STANDINS: dict[str, Callable[[int], Any]] = {
    "id": lambda number: f"user-{number}",
    "email": lambda number: f"person{number}@example.com",
    "name": lambda number: f"Name {number}",
    "phone": lambda number: f"+1555000{number:04}",
    "street": lambda number: f"Street {number}",
    "postcode": lambda number: f"{10_000 + number}",
    "birthday": lambda number: f"1990-01-{(number - 1) % 28 + 1:02}",
    "ip": lambda number: f"192.0.2.{number % 256}",
    "device": lambda number: f"device-{number}",
    "position": lambda _number: 0.0,
    "secret": lambda _number: "***",
}
#: The objects in which `name` is a person's.
_PEOPLE = frozenset({"traits", "user", "customer", "userattributes", "recipient", "contact", "profile"})


class Anonymiser:
    """Replaces personal values of one payload; `replaced` counts them by kind.

    `ids` are the ids of people in it.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self.replaced: dict[str, int] = {}
        self._ids = {each for each in ids if normal(each) is None}
        self._known: dict[str, Any] = {}

    def value(self, value: Any) -> Any:
        """Return a JSON value with stand-ins in the place of personal data."""
        return self._value(value, "", person=False)

    def _value(self, value: Any, kind: str, *, person: bool) -> Any:
        if isinstance(value, dict):
            return {key: self._member(key, below, kind, person=person) for key, below in value.items()}
        if isinstance(value, list):
            return [self._value(each, kind, person=person) for each in value]
        if value is None or isinstance(value, bool):
            return value
        text = value if isinstance(value, str) else str(value)
        if text in self._ids:
            return self._stand_in("id", text)
        if kind:
            return self._stand_in(kind, text)
        return self._text(value) if isinstance(value, str) else value

    def _member(self, key: str, value: Any, kind: str, *, person: bool) -> Any:
        plain = "".join(character for character in key.lower() if character.isalnum())
        found = next((each for each, names in _KINDS.items() if plain in names), kind)
        if plain == "name" and person and not isinstance(value, dict | list):
            found = "name"
        return self._value(value, found, person=plain in _PEOPLE)

    def _text(self, text: str) -> str:
        for address in sorted(set(each_in(text)), key=len, reverse=True):
            stand_in = self._stand_in("email", address)
            text = re.sub(re.escape(address), stand_in, text, flags=re.IGNORECASE)
        for name in self._ids:
            if len(name) >= 8 and name in text:
                text = text.replace(name, self._stand_in("id", name))
        return text

    def _stand_in(self, kind: str, text: str) -> Any:
        key = f"{kind}\0{text}"
        if key not in self._known:
            self.replaced[kind] = self.replaced.get(kind, 0) + 1
            self._known[key] = _STANDINS[kind](self.replaced[kind])
        return self._known[key]

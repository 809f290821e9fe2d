"""Reads the parts of a date as V8 does (src/date/dateparser-inl.h): ISO 8601, else nearly anything."""

from __future__ import annotations

from adapter.mapping.liquid.filters.date_tokens import Scanner, Token


class NoDate(Exception):
    """V8 takes the text for no date."""


class Reading:
    """The parts of a date that a text has: numbers of the day, parts of the time, and the zone.

    `iso` says that all of it is ISO 8601. Raises NoDate for what V8 takes for no date.
    """

    def __init__(self, text: str) -> None:
        self.scanner = Scanner(text)
        self.day: list[int] = []
        self.month = 0
        self.time: list[int] = []
        self.half: int | None = None
        self.sign = 1
        self.hours: int | None = None
        self.minutes: int | None = None
        token = self._iso()
        self.iso = token is None
        self.has_number = bool(self.day)
        while token is not None and token.kind != "end":
            self._take(token)
            token = self.scanner.next()

    def _iso(self) -> Token | None:
        """Read a date of ISO 8601; returns the first word that belongs to none, None for a whole one."""
        scanner = self.scanner
        if scanner.peek.is_symbol("+", "-"):
            sign = scanner.next()
            if not scanner.peek.fixed(6) or (sign.text == "-" and not scanner.peek.value):
                return sign
            self.day.append(scanner.next().value * (-1 if sign.text == "-" else 1))
        elif scanner.peek.fixed(4):
            self.day.append(scanner.next().value)
        else:
            return scanner.next()
        for most in (12, 31):
            if scanner.skip("-"):
                if not scanner.peek.fixed(2, 1, most):
                    return scanner.next()
                self.day.append(scanner.next().value)
            else:
                break
        if scanner.peek.kind == "time":
            scanner.next()
            self._iso_time()
        elif scanner.peek.kind != "end":
            return scanner.next()
        return None

    def _iso_time(self) -> None:
        most = [24, 59, 59]
        self._two_digits(most)
        expect(self.scanner.skip(":"))
        self._two_digits(most)
        if self.scanner.skip(":"):
            self._two_digits(most)
            if self.scanner.skip("."):
                expect(self.scanner.peek.kind == "number" and not (most[1] == 0 and self.scanner.peek.value))
                self._finish(_thousandths(self.scanner.next()))
        if self.scanner.peek.text == "z":
            self.scanner.next()
            self.hours = self.minutes = 0
        elif self.scanner.peek.is_symbol("+", "-"):
            self._iso_zone()
        expect(self.scanner.peek.kind == "end")

    def _two_digits(self, most: list[int]) -> None:
        expect(self.scanner.peek.fixed(2, 0, most[len(self.time)]))
        self.time.append(self.scanner.next().value)
        if self.time == [24]:
            most[1:] = [0, 0]

    def _iso_zone(self) -> None:
        self.sign = -1 if self.scanner.next().text == "-" else 1
        if self.scanner.peek.fixed(4):
            self.hours, self.minutes = divmod(self.scanner.next().value, 100)
        else:
            expect(self.scanner.peek.fixed(2))
            self.hours = self.scanner.next().value
            expect(self.scanner.skip(":") and self.scanner.peek.fixed(2))
            self.minutes = self.scanner.next().value
        expect(self.hours <= 23 and self.minutes <= 59)

    def _take(self, token: Token) -> None:
        """Take one word of a date that is not of ISO 8601."""
        if token.kind == "number":
            self.has_number = True
            self._number(token.value)
        elif token.kind in ("half", "month", "zone", "time", "word"):
            self._word(token)
        elif token.is_symbol("+", "-") and ((self.hours, self.minutes) == (0, 0) or self.time):
            self._offset(token)
        else:
            expect(not (token.is_symbol("+", "-", ")") and self.has_number))

    def _number(self, value: int) -> None:
        scanner = self.scanner
        if scanner.skip(":"):
            if scanner.skip(":"):
                expect(not self.time)
                self.time += [value, 0]
            else:
                expect(len(self.time) < 4)
                self.time.append(value)
                scanner.skip(".")
        elif scanner.skip(".") and self._expects(value):
            self.time.append(value)
            expect(scanner.peek.kind == "number")
            self._finish(_thousandths(scanner.next()))
        elif self.hours is not None and self.minutes is None and value <= 59:
            self.minutes = value
        elif self._expects(value):
            self._finish(value)
            after = scanner.peek
            expect(after.kind in ("end", "space") or after.text == "z" or after.is_symbol("+", "-"))
        else:
            expect(len(self.day) < 3)
            self.day.append(value)
            scanner.skip("-")

    def _expects(self, value: int) -> bool:
        """Tell whether a number may be the next part of the time."""
        return 0 < len(self.time) < 4 and value <= (59, 59, 999)[len(self.time) - 1]

    def _finish(self, value: int) -> None:
        self.time.append(value)
        self.time += [0] * (4 - len(self.time))

    def _word(self, token: Token) -> None:
        if token.kind == "half" and self.time:
            self.half = token.value
        elif token.kind == "month":
            self.month = token.value
            self.scanner.skip("-")
        elif token.kind == "zone" and self.has_number:
            self.sign, self.hours, self.minutes = (-1 if token.value < 0 else 1), abs(token.value), 0
        else:
            expect(not self.has_number and self.scanner.peek.kind != "number")

    def _offset(self, token: Token) -> None:
        self.sign = -1 if token.text == "-" else 1
        number = self.scanner.next() if self.scanner.peek.kind == "number" else None
        self.has_number = True
        length, value = (len(number.text), number.value) if number else (0, 0)
        if self.scanner.peek.is_symbol(":"):
            self.hours, self.minutes = value, None
        elif length in (1, 2):
            self.hours, self.minutes = value, 0
        else:
            expect(length in (3, 4))
            self.hours, self.minutes = divmod(value, 100)


def _thousandths(token: Token) -> int:
    """Return the milliseconds of a fraction's digits as V8 cuts them: to nine, leading zeros apart."""
    length = min(len(token.text), 9)
    return (
        token.value * (100, 10, 1)[length - 1]
        if length <= 3
        else token.value // (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)[length - 3]
    )


def expect(held: bool) -> None:
    """Raise NoDate unless something holds."""
    if not held:
        raise NoDate

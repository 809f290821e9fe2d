"""`@date`: a date, or a time, in forms that are written out. Ours; Segment does not know it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives._conversions import absent, is_absent, refuse, shown_time
from adapter.mapping.directives._converting import Conversion, converting
from adapter.mapping.engine.directive import Report
from adapter.mapping.engine.options import Items, Option, Options, Plain, Raw, Text
from adapter.mapping.engine.values import UNDEFINED
from adapter.model import zones
from adapter.model.date_formats import BadFormat, DateFormat, date_format

_AMBIGUOUS = ("earlier", "later")
_OPTIONS = {
    "value": Option(Raw(), required=True),
    "formats": Option(Items(Plain(least=1, most=60)), required=True),
    "zone": Option(Text()),
    "ambiguous": Option(Plain(choices=_AMBIGUOUS)),
}
_NEEDED = '@date requires a "value" key, and a "formats" key with a list of forms such as "%d.%m.%Y"'


def date_conversion(options: Any) -> Conversion:
    """Return what `@date` reads; raises MappingError where its options are ill-shaped."""
    if type(options) is not dict or "value" not in options or type(options.get("formats")) is not list:
        raise MappingError(_NEEDED)
    try:
        formats = tuple(date_format(form) for form in options["formats"] if type(form) is str)
    except BadFormat as error:
        raise MappingError(f"@date: {error.message}") from None
    if not formats or len(formats) < len(options["formats"]):
        raise MappingError(_NEEDED)
    convert = partial(dated, formats=formats, ambiguous=options.get("ambiguous"))
    return Conversion((options["value"], options.get("zone", UNDEFINED)), convert)


def dated(value: Any, zone: Any, *, formats: Sequence[DateFormat], ambiguous: Any = None) -> Any:
    """Return `2024-06-18` in forms without a time, else the instant in UTC.

    `zone` is that of times without an offset. Raises MappingError for what no form reads, or two forms read
    differently, and for a local time that a change of clocks skips or, without `ambiguous`, repeats.
    """
    if is_absent(value):
        return absent(value)
    text = str(value) if type(value) is int else value
    read = [form.read(text) for form in formats] if type(text) is str else []
    found = dict.fromkeys(
        _instant(one, zone, value, ambiguous) if isinstance(one, datetime) else one.isoformat()
        for one in read if one is not None
    )  # fmt: skip
    if len(found) == 1:
        return next(iter(found))
    forms = " or ".join(f"`{form.text}`" for form in formats)
    wanted = f"a date in the form {forms}"
    return refuse("@date", value, f"one date alone in the forms {forms}" if found else wanted)


def _instant(moment: datetime, zone: Any, value: Any, ambiguous: Any) -> str:
    if moment.tzinfo is None:
        moment = _in_zone(moment, _zone(zone), value, ambiguous)
    try:
        return shown_time(moment.astimezone(UTC))
    except OverflowError:
        return refuse("@date", value, "a date from the year 1 to 9999")


def _zone(zone: Any) -> tzinfo:
    found = zones.zone_of(zone.strip()) if type(zone) is str else None
    if found is None:
        refuse("@date", None if zone is UNDEFINED else zone, "a time zone, which the time needs")
    return found


def _in_zone(moment: datetime, zone: tzinfo, value: Any, ambiguous: Any) -> datetime:
    """Return the local time in its zone; raises MappingError where there is none, or there are two."""
    early, late = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    if (early.utcoffset() or timedelta()) < (late.utcoffset() or timedelta()):
        refuse("@date", value, "a time of that zone: its clocks skip it")
    if ambiguous not in _AMBIGUOUS:
        refuse("@date", value, "one time alone: the clocks of that zone show it twice")
    return early if ambiguous == "earlier" else late


def _lint(options: Any, report: Report) -> None:
    needs_zone = False
    for place, text in enumerate(options["formats"]):
        try:
            form = date_format(text)
        except BadFormat as error:
            report(("formats", place), f"`{text}` is not a form of dates: {error.message}", error.remedy)
            continue
        needs_zone = needs_zone or (form.timed and not form.zoned)
    if not options["formats"]:
        report(("formats",), "there is no form", 'write a list, as in ["%d.%m.%Y"]')
    if needs_zone and "zone" not in options:
        report((), "a time without an offset needs its `zone`", "write `zone: Europe/Berlin`")
    zone = options.get("zone")
    if type(zone) is str and zones.zone_of(zone.strip()) is None:
        report(("zone",), f"`{zone}` is not a time zone", zones.remedy(zone))


DATE = converting("@date", Options(_OPTIONS), date_conversion, _lint)

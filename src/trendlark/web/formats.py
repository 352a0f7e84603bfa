"""Numbers, shares, money and times as the pages write them, by language, without a locale library."""

from __future__ import annotations

from datetime import datetime

from trendlark.errors import InputError
from trendlark.hours import Hour, parse_moment
from trendlark.web.messages import Lang

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
}
_MINUS = "\u2212"
_NBSP = "\u00a0"


def number(value: int, lang: Lang) -> str:
    """A count: ``12,345`` in English, ``12.345`` in Spanish (which groups from five digits on, as CLDR does)."""
    if lang == "es":
        return f"{value:,}".replace(",", ".") if abs(value) >= 10_000 else str(value)
    return f"{value:,}"


def decimal(value: float, lang: Lang, places: int = 1) -> str:
    """A number with its decimals, ``73.1`` or ``73,1``."""
    text = f"{value:.{places}f}"
    return text.replace(".", ",") if lang == "es" else text


def size(size_bytes: int, lang: Lang) -> str:
    """Bytes in the unit that reads best, ``12.3 MB``; units of a thousand."""
    value, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{decimal(value, lang, 0 if unit == 'B' or value >= 100 else 1)}{_NBSP}{unit}"


def percent(share: float, lang: Lang) -> str:
    """A share from 0 to 1 in whole per cent; what is not zero never reads as zero, nor what is not all as all."""
    if 0.995 <= share < 1:
        return _with_sign(">99", lang)
    return _with_sign("<1" if 0 < share < 0.005 else f"{share * 100:.0f}", lang)


def span(low: float, high: float, lang: Lang) -> str:
    """An interval of shares: ``31-46%``, with an en dash."""
    return f"{low * 100:.0f}\u2013" + _with_sign("<1" if 0 < high < 0.005 else f"{high * 100:.0f}", lang)


def _with_sign(text: str, lang: Lang) -> str:
    return text + (f"{_NBSP}%" if lang == "es" else "%")


def points(change: float) -> str:
    """A change of a share in points with its sign, ``+4``; zero has none."""
    whole = round(change * 100)
    return f"+{whole}" if whole > 0 else f"{_MINUS}{-whole}" if whole < 0 else "0"


def money(dollars: float, lang: Lang) -> str:
    """US dollars to the cent, or to the tenth of a cent below one dollar."""
    text = f"{dollars:.2f}" if dollars >= 1 or dollars == 0 else f"{dollars:.3f}"
    return text.replace(".", ",") + f"{_NBSP}US$" if lang == "es" else f"${text}"


def day(moment: datetime, lang: Lang) -> str:
    """``Mon 23 Nov 2026`` or ``lun 23 nov 2026``."""
    weekday, month = _DAYS[lang][moment.weekday()], _MONTHS[lang][moment.month - 1]
    return f"{weekday} {moment.day} {month} {moment.year}"


def hour_label(hour: Hour, lang: Lang) -> str:
    """``Mon 23 Nov 2026, 07:00-08:00 UTC``, with an en dash."""
    return f"{day(hour.start, lang)}, {hour.start:%H:%M}\u2013{hour.end:%H:%M}{_NBSP}UTC"


def hour_short(hour: Hour, lang: Lang) -> str:
    """``Mon 23 Nov, 07:00``, for lists of near hours."""
    start = hour.start
    return f"{_DAYS[lang][start.weekday()]} {start.day} {_MONTHS[lang][start.month - 1]}, {start:%H:%M}"


def window_label(window: str) -> str:
    """A slice of an hour, ``07:00-07:15`` with an en dash; one that is not written as we do stays as it is."""
    try:
        start, end = (parse_moment(part) for part in window.split("/"))
    except (InputError, ValueError):
        return window
    return f"{start:%H:%M}\u2013{end:%H:%M}"


def moment_label(moment: datetime, lang: Lang) -> str:
    """``Mon 23 Nov 2026, 07:05 UTC``; the moment is in UTC."""
    return f"{day(moment, lang)}, {moment:%H:%M}{_NBSP}UTC"

"""Dates as twelve languages write them, and as ISO 8601 does: Babel's locale data, with the digits of each language."""

import datetime
import unicodedata
from functools import cache

import numpy as np
from babel import Locale
from babel.dates import DateTimeFormat, format_date, tokenize_pattern

ISO = "ISO"
LOCALES = {
    ISO: "",
    "English": "en",
    "German": "de",
    "Spanish": "es",
    "Finnish": "fi",
    "Swahili": "sw",
    "Vietnamese": "vi",
    "Russian": "ru",
    "Greek": "el",
    "Arabic": "ar_EG",
    "Hindi": "hi",
    "Japanese": "ja",
    "Korean": "ko",
}
LANGUAGES = tuple(LOCALES)
FIRST_YEAR, LAST_YEAR = 1900, 2099
# Egypt writes dates with the digits that Unicode calls Arabic-Indic; Babel leaves the digits to the caller.
ZEROS = {"latn": "0", "arab": "\u0660", "beng": "\u09e6", "deva": "\u0966"}
FIELD = {"d": "d", "M": "m", "L": "m", "y": "y"}


def write(date: datetime.date, language: str, style: str = "long") -> str:
    """A date as a language writes it, in one of CLDR's styles: "full" (with the weekday), "long" or "medium".

    `language` is one of LANGUAGES, or any locale of Babel's. Marks that no keyboard has are left out, and the narrow
    space is a plain one.

    >>> write(datetime.date(2019, 3, 5), "Spanish"), write(datetime.date(2019, 3, 5), "ISO")
    ('5 de marzo de 2019', '2019-03-05')

    Raises babel.UnknownLocaleError for a locale that Babel does not have.
    """
    locale = LOCALES.get(language, language)
    if not locale:
        return date.isoformat()
    return _plain(format_date(date, style, locale), locale)


def _plain(text: str, locale: str) -> str:
    """The text with the locale's own digits and with neither marks of direction nor narrow spaces."""
    zero = ZEROS[Locale.parse(locale).default_numbering_system]
    text = text.replace("\u202f", " ").translate(dict.fromkeys(map(ord, "\u200e\u200f")))
    return text.translate({ord("0") + n: chr(ord(zero) + n) for n in range(10)})


def fields(date: datetime.date, language: str, style: str = "long") -> str:
    """Which field each character of the written date belongs to: d, m, y, or - for what stands between them.

    >>> fields(datetime.date(2019, 3, 5), "Spanish")
    'd----mmmmm----yyyy'

    The pattern's fields are formatted one by one. Raises ValueError where they do not add up to the written date.
    """
    locale, written = LOCALES.get(language, language), write(date, language, style)
    if not locale:
        return "yyyy-mm-dd"
    parts = [("", "")]
    for kind, value in tokenize_pattern(Locale.parse(locale).date_formats[style].pattern):
        field = kind == "field"
        text = DateTimeFormat(date, locale)[value[0] * value[1]] if field else value
        parts.append((_plain(text, locale), FIELD.get(value[0], "-") if field else "-"))
    if "".join(text for text, _ in parts) != written:
        raise ValueError(f"the fields of {written!r} do not add up to it")
    return "".join(field * len(text) for text, field in parts)


def digits_in(text: str) -> str:
    """The text with every digit, of whatever script, as one of 0 to 9.

    >>> digits_in("\u0662\u0660\u0661\u0669")
    '2019'
    """
    return "".join(str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text)


@cache
def all_days() -> tuple[tuple[int, int], ...]:
    """The 366 days of a leap year, as (month, day)."""
    first = datetime.date(2004, 1, 1)
    days = [first + datetime.timedelta(n) for n in range(366)]
    return tuple((day.month, day.day) for day in days)


def is_held_out(dates: np.ndarray) -> np.ndarray:
    """Whether each date (year, number of its day among the 366) is hidden from training: one in eleven, the same
    on every machine.

    >>> bool(0.08 < is_held_out(np.stack(np.meshgrid(range(1900, 2100), range(366)), -1)).mean() < 0.1)
    True
    """
    years, days = dates[..., 0], dates[..., 1]
    return (years * 7919 + days * 104729 + years * days) % 1009 % 11 == 0


def all_dates(held_out: bool) -> np.ndarray:
    """Every date of the 200 years that is held out, or that is not: (dates, 2) as year and number of the day."""
    years, days = np.meshgrid(np.arange(FIRST_YEAR, LAST_YEAR + 1), np.arange(366), indexing="ij")
    dates = np.stack([years.ravel(), days.ravel()], axis=1)
    leap = (dates[:, 0] % 4 == 0) & ((dates[:, 0] % 100 != 0) | (dates[:, 0] % 400 == 0))
    dates = dates[leap | (dates[:, 1] != 59)]
    return dates[is_held_out(dates) == held_out]


def as_date(pair) -> datetime.date:
    """(year, number of the day among the 366) as a date.

    >>> as_date((2019, 64))
    datetime.date(2019, 3, 5)
    """
    return datetime.date(int(pair[0]), *all_days()[int(pair[1])])

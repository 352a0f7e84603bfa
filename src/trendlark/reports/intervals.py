"""How sure a share is: 95 % intervals of shares of a sample, and of the change between two hours.

A share is the estimate of a simple random sample of ``sampled`` tweets out of ``population``. Its interval is
Wilson's score interval (E. B. Wilson 1927, JASA 22:209-212), which keeps its coverage in small samples and near
0 and 1 (Brown, Cai & DasGupta 2001, Statistical Science 16:101-133). Where the population is known, the sample
counts as n(N-1)/(N-n) draws: the finite population correction (Cochran 1977, Sampling Techniques, section 2.6)
in the form of an effective sample size. The ends are then moved outward to whole tweets, as a share of N tweets
is a multiple of 1/N (without it, coverage falls to 0.80 where most of an hour is sampled), and not beyond what the
sample proves: at least ``count`` tweets have the property and at least ``sampled - count`` have not.
docs/methods.md tells what this means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, sqrt

from trendlark.errors import InputError
from trendlark.records import Share

LEVEL = 0.95
_Z = 1.959963984540054  # the 97.5 % point of the standard normal distribution


@dataclass(frozen=True, slots=True)
class Change:
    """A difference of shares with its 95 % interval: from -1 to 1, of two balances from -2 to 2."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out: more than the luck of the draw."""
        return self.low > 0 or self.high < 0


def interval(count: int, sampled: int, population: int | None = None) -> tuple[float, float]:
    """The 95 % interval of the share of ``count`` in ``sampled`` tweets, out of ``population`` where it is known.

    Nothing sampled tells nothing: the whole of [0, 1]. Everything sampled leaves no doubt: a point.
    Raises InputError where the numbers contradict each other.
    """
    check_counts(count, sampled, population)
    if sampled == 0:
        return 0.0, 1.0
    value = count / sampled
    if population == sampled:
        return value, value
    low, high = _wilson(value, effective_draws(sampled, population))
    return on_whole_tweets(low, high, count, sampled, population)


def effective_draws(sampled: int, population: int | None) -> float:
    """How many draws out of an endless hour tell as much: n(N-1)/(N-n), more than n; not for N = n."""
    return float(sampled) if population is None else sampled * (population - 1) / (population - sampled)


def on_whole_tweets(
    low: float, high: float, count: int, sampled: int, population: int | None
) -> tuple[float, float]:
    """An interval with its ends moved outward to whole tweets, within what the sample proves."""
    value = count / sampled
    if population is not None:
        low = max(count, floor(low * population)) / population
        high = min(population - sampled + count, ceil(high * population)) / population
    # The estimate lies inside by algebra; rounding must not push it out at 0 and 1.
    return max(0.0, min(low, value)), min(1.0, max(high, value))


def shares(counts: Mapping[str, int], sampled: int, population: int | None = None) -> dict[str, Share]:
    """The share of each count with its interval; none at all where nothing was sampled."""
    if sampled == 0:
        return {}
    return {
        name: Share(count / sampled, *interval(count, sampled, population)) for name, count in counts.items()
    }


def usable_population(volume: int | None, sampled: int) -> int | None:
    """The stated volume as population; None where it is silent or refuted by the sample itself.

    A source states the volume of the trend, not of the hour. It is at least the hour's, so taking it makes the
    interval wider than it need be, never narrower.
    """
    return volume if volume is not None and volume >= max(1, sampled) else None


def change(now: Share, before: Share) -> Change:
    """The difference of the shares of two independent samples (R. G. Newcombe 1998, Statistics in Medicine
    17:873-890, method 10), from the intervals that the shares carry."""
    return _difference(now, before, 0.0, 1.0)


def balance(more: Share, less: Share) -> Change:
    """One share minus another of the same sample, where no tweet counts in both, as positive minus negative.

    Where one share is larger the other is smaller, which makes the interval wider than that of two samples (G. Y. Zou
    & A. Donner 2008, Statistics in Medicine 27:1693-1702, with the correlation of multinomial shares).
    """
    others = (1 - more.value) * (1 - less.value)
    correlation = -sqrt(more.value * less.value / others) if others > 0 else 0.0
    return _difference(more, less, max(-1.0, correlation), 1.0)


def swing(now: Change, before: Change) -> Change:
    """The difference of the balances of two independent samples."""
    return _difference(now, before, 0.0, 2.0)


def _difference(one: Share | Change, other: Share | Change, correlation: float, most: float) -> Change:
    value = one.value - other.value

    def reach(first: float, second: float) -> float:
        return sqrt(max(0.0, first**2 + second**2 - 2 * correlation * first * second))

    low = value - reach(one.value - one.low, other.high - other.value)
    high = value + reach(one.high - one.value, other.value - other.low)
    return Change(value, max(-most, low), min(most, high))


def _wilson(value: float, draws: float) -> tuple[float, float]:
    z2 = _Z * _Z / draws
    centre = (value + z2 / 2) / (1 + z2)
    half = _Z / (1 + z2) * sqrt(value * (1 - value) / draws + z2 / (4 * draws))
    return centre - half, centre + half


def check_counts(count: int, sampled: int, population: int | None) -> None:
    """Raise InputError where the numbers contradict each other."""
    if not 0 <= count <= sampled:
        raise InputError(
            f"Found {count} of {sampled} sampled tweets; a count is from 0 to the number sampled. "
            "Count each tweet once."
        )
    if population is not None and population < sampled:
        raise InputError(
            f"Found {sampled} tweets sampled out of {population}; a population is at least as large as its "
            "sample. Leave it out where it is not known."
        )

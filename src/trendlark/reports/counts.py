"""Counting names once for each tweet, however they are spelt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from trendlark.records import Count
from trendlark.reports.words import fold

TOP = 10


class NameCounter:
    """How many tweets hold a name of a type; case and accents do not matter."""

    def __init__(self) -> None:
        # Flat, and grouped only at the end: an hour holds a hundred thousand different phrases.
        self._spellings: Counter[tuple[str, str | None]] = Counter()

    def add(self, names: Iterable[tuple[str, str | None]]) -> None:
        """Take the names of one tweet, each with its type; of a name written twice the first spelling counts."""
        seen: set[tuple[str, str | None]] = set()
        for name, kind in names:
            spelling = " ".join(name.split())
            key = (fold(spelling), kind)
            if key[0] and key not in seen:
                seen.add(key)
                self._spellings[spelling, kind] += 1

    def top(self, most: int = TOP) -> tuple[Count, ...]:
        """The names in the most tweets, each in its most frequent spelling; ties by name, then type."""
        spelt: dict[tuple[str, str | None], list[tuple[int, str]]] = defaultdict(list)
        for (spelling, kind), count in self._spellings.items():
            spelt[fold(spelling), kind].append((-count, spelling))
        counts = [
            Count(min(spellings)[1], -sum(count for count, _ in spellings), kind)
            for (_, kind), spellings in spelt.items()
        ]
        return tuple(sorted(counts, key=lambda c: (-c.count, c.name, c.type or ""))[:most])

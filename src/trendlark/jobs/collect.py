"""Collect an hour of a place: its trends, and a sample of the tweets of each.

Every answer is stored before it is read (table ``pages``), so a run that is killed asks, and pays, only for what
is missing when it comes back. Rows are made from what the table holds, never from memory, so two collectors of
the same hour make the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from trendlark.errors import BudgetError, UnavailableError
from trendlark.hours import Hour, utc_now
from trendlark.jobs.progress import SILENT, Progress
from trendlark.jobs.runs import NOTHING, Tally, record_run
from trendlark.lake import Lake
from trendlark.records import Page, Place, Refusal, Run, Trend, TrendHour, Tweet
from trendlark.settings import Settings
from trendlark.sources.base import Source
from trendlark.sources.plan import HourPlan, TrendPlan, allowance, fits, part_of_place, plan_hour

JOB = "collect"
# As much of the stored answers is held at once; Python takes up to four bytes for each character.
HELD_CHARACTERS = 4 * 1024 * 1024
# What an answer of an earlier run is taken to have, until it is read: a hundred tweets, and some to spare.
USUAL_CHARACTERS = 128 * 1024


def collect_hour(
    lake: Lake, source: Source, place: Place, hour: Hour, settings: Settings, progress: Progress = SILENT
) -> Run:
    """Collect one place and hour; finds nothing to do where it is collected already."""

    def _work(tally: Tally) -> None:
        if lake.collected(hour, source.name, place.slug):
            tally.status = NOTHING
            return
        _Collection(lake, source, place, hour, settings, tally, progress).run()

    return record_run(
        lake, _work, job=JOB, hour=hour, source=source.name, place=place.slug, progress=progress
    )


@dataclass(slots=True)
class _Collection:
    lake: Lake
    source: Source
    place: Place
    hour: Hour
    settings: Settings
    tally: Tally
    progress: Progress
    # What is stored already, by request and without the bodies: an hour's may be more than there is memory.
    known: dict[str, Page] = field(default_factory=dict)
    # Requests of an earlier run that this one has not come across (yet).
    left_over: set[str] = field(default_factory=set)
    listed_in: str = ""
    # The length of the answers about each trend.
    characters: dict[str, int] = field(default_factory=dict)

    @property
    def here(self) -> tuple[Hour, str, str]:
        return self.hour, self.source.name, self.place.slug

    def run(self) -> None:
        self.known = {page.request: page for page in self.lake.page_index(*self.here)}
        self.left_over = set(self.known)
        trends = self._trends()
        plan = self._plan(trends)
        self._fetch_all(plan)
        self._commit(plan)
        # A recording may hold hours to come, before which lies what today has cost.
        self.lake.drop_old_pages(min(self.hour, Hour.now()) - 48)

    def _trends(self) -> Sequence[Trend]:
        key = self.listed_in = self.source.request_of_trends(self.place)
        page = self._kept(key)
        if page is None:
            self._afford(self.source.cost_of_trends(), f"the trends of {self.place.slug}")
            page = self.source.trends(self.place, self.hour)
            self._store(page)
        self.left_over.discard(key)
        parsed = self.source.parse_trends(page, self.place, self.hour)
        return parsed.items[: self.settings.trends_per_place]

    def _afford(self, cost: float, what: str) -> None:
        if cost <= 0:
            return
        left = self.settings.budget_usd_per_day - self._spent_today()
        if not fits(cost, left):
            raise BudgetError(
                f"Asking {self.source.name} for {what} costs ${cost:.3f}, and ${left:.3f} "
                f"of the budget of ${self.settings.budget_usd_per_day:.2f} a day is left; wait for the next UTC day "
                "or raise budget_usd_per_day (`trendlark plan` shows what it buys)."
            )

    def _spent_today(self) -> float:
        # The source bills by the day on which it answers, whatever the hour that was asked for.
        return self.lake.spent(Hour.now().day, self.source.name)

    def _kept(self, request: str) -> Page | None:
        """The answer of an earlier run, whole, if there is one."""
        return next(iter(self.lake.pages(*self.here, [request])), None) if request in self.known else None

    def _plan(self, trends: Sequence[Trend]) -> HourPlan:
        # Kept like an answer: a plan made anew after a crash would count what is paid already against this hour,
        # come out smaller and ask for other windows than those that are here. It belongs to one list of trends:
        # a recording to which tweets were added has another one.
        key = f"plan of {self.listed_in}"
        page = self._kept(key)
        if page is None:
            page = Page(key, _written(self._new_plan(trends)), utc_now())
            self._keep(page)
        return _read(page, trends)

    def _new_plan(self, trends: Sequence[Trend]) -> HourPlan:
        return plan_hour(
            trends,
            self.settings.tweets_per_trend,
            self.settings.windows_per_hour,
            self.source,
            self._part(),
        )

    def _part(self) -> float:
        """What this place may still spend on the hour: its part, as far as the day's budget has it."""
        now, budget, today = Hour.now(), self.settings.budget_usd_per_day, self._spent_today()
        spent = self.lake.spent_by_place(now.day, self.source.name, self.hour)
        # What the hour itself has cost is taken from the hour, not from the day: else each place would find the
        # day's hourly allowance nearly whole, and share it with fewer places than the one before.
        before = today - sum(spent.values())
        done = {place for source, place in self.lake.places(self.hour) if source == self.source.name}
        waiting = {place.slug for place in self.settings.place_list()} - done
        part = part_of_place(allowance(budget, before, now), spent, waiting, self.place.slug)
        # A place that waits may have spent more than its part, by a plan of a larger budget.
        return max(0.0, min(part, budget - today))

    def _fetch_all(self, plan: HourPlan) -> None:
        earlier = _Answers(self.lake, self.here, _by_trend(self.known.values()))
        self.progress.start(f"collect {self.place.slug} {self.hour}", len(plan.trends))
        for planned in plan.trends:
            if planned.tweets:
                self._fetch(planned, earlier)
            self.progress.advance()

    def _fetch(self, planned: TrendPlan, earlier: _Answers) -> None:
        name = planned.trend.name
        # Paging reads the answers before, of the same trend.
        kept = {page.request: page for page in earlier.about(name)}
        # The plan may be older than the budget in force, or than what another run has spent since.
        paid = sum(page.cost for page in kept.values())
        self._afford(planned.cost - paid, f"the tweets of {name!r} in {self.place.slug}")
        for page in self.source.pages(planned.trend, planned.tweets, planned.windows, kept):
            if page.request not in kept:
                self._store(page)
            self.left_over.discard(page.request)
            self.characters[name] = self.characters.get(name, 0) + len(page.body)

    def _store(self, page: Page) -> None:
        self._keep(page)
        self.tally.requests += 1
        self.tally.cost += page.cost

    def _keep(self, page: Page) -> None:
        self.lake.add_page(*self.here, page)
        self.known[page.request] = replace(page, body="")

    def _commit(self, plan: HourPlan) -> None:
        if self.source.request_of_trends(self.place) != self.listed_in:
            raise UnavailableError(
                f"Found {self.source.name} changed while {self.place.slug} was collected; a recording must stay as "
                "it is until the hour is done. Run the hour again."
            )
        # What an earlier run had of a recording that was changed since is no part of the sample.
        index = [page for page in self.lake.page_index(*self.here) if page.request not in self.left_over]
        answers = _Answers(self.lake, self.here, _by_trend(index), self.characters)
        if self.lake.collected(*self.here):
            # Another collector was first. What this one has asked for all the same is on its record.
            if not self.tally.requests:
                self.tally.status = NOTHING
            return
        sample = _Sample(self.source, answers, self._refused_trends())
        rows = [sample.row(planned.trend, planned.note) for planned in plan.trends]
        if (
            not rows
            and not self.tally.requests
            and len(self.lake.refused(*self.here)) == len(sample.refusals)
        ):
            # An hour without trends has no row that says that it was collected.
            self.tally.status = NOTHING
            return
        self.lake.commit_collection(
            *self.here,
            tweets=(tweet for planned in plan.trends for tweet in sample.tweets(planned.trend)),
            trends=rows,
            refusals=sample.refusals,
            run_id=self.tally.run_id,
        )
        self.tally.refused = len(sample.refusals)
        self.tally.count("trends", len(rows))
        self.tally.count("tweets", sum(row.sampled for row in rows))

    def _refused_trends(self) -> list[Refusal]:
        listed = self.lake.pages(*self.here, [self.listed_in])
        return [
            refusal
            for page in listed
            for refusal in self.source.parse_trends(page, self.place, self.hour).refusals
        ]


def _written(plan: HourPlan) -> str:
    return json.dumps([[row.trend.name, row.tweets, row.windows, row.cost, row.note] for row in plan.trends])


def _read(page: Page, trends: Sequence[Trend]) -> HourPlan:
    named = {trend.name: trend for trend in trends}
    rows = [
        TrendPlan(named[name], tweets, windows, cost, note)
        for name, tweets, windows, cost, note in json.loads(page.body)
        if name in named
    ]
    return HourPlan(tuple(rows), sum(row.cost for row in rows))


def _by_trend(index: Iterable[Page]) -> dict[str, list[str]]:
    requests: dict[str, list[str]] = {}
    for page in index:
        if page.trend is not None:
            requests.setdefault(page.trend, []).append(page.request)
    return requests


class _Answers:
    """The stored answers about each trend; the bodies of a few trends, read one after the other, are in memory.

    ``characters`` says how long the answers about a trend are, as far as that is known.
    """

    def __init__(
        self,
        lake: Lake,
        here: tuple[Hour, str, str],
        requests: Mapping[str, Sequence[str]],
        characters: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._lake = lake
        self._here = here
        self._requests = requests
        self._characters = characters
        self._held: dict[str, list[Page]] = {}

    def about(self, trend: str) -> Sequence[Page]:
        """The answers about a trend, in the order received."""
        if trend not in self._requests:
            return ()
        if trend not in self._held:
            self._held = {}  # let go of before more are read
            self._held = self._read(self._portion(trend))
        return self._held[trend]

    def _portion(self, first: str) -> Sequence[str]:
        # Several trends at once: every question of the lake looks into all answers of the place's hour.
        names = list(self._requests)
        names = names[names.index(first) :]
        length = 0
        for number, name in enumerate(names):
            length += self._characters.get(name, len(self._requests[name]) * USUAL_CHARACTERS)
            if number and length > HELD_CHARACTERS:
                return names[:number]
        return names

    def _read(self, names: Sequence[str]) -> dict[str, list[Page]]:
        held: dict[str, list[Page]] = {name: [] for name in names}
        for page in self._lake.pages(*self._here, [r for name in names for r in self._requests[name]]):
            if page.trend is not None:
                held[page.trend].append(page)
        return held


class _Sample:
    """What the stored answers hold. They are read twice, so that no more than a page of tweets is in memory."""

    def __init__(self, source: Source, answers: _Answers, refusals: list[Refusal]) -> None:
        self._source = source
        self._answers = answers
        self.refusals = refusals

    def tweets(self, trend: Trend) -> Iterator[Tweet]:
        """The tweets of a trend, each once."""
        return self._read(trend, [])

    def row(self, trend: Trend, note: str | None) -> TrendHour:
        """What was collected of a trend; its refusals are kept, and where nothing is left the first is told."""
        pages = self._answers.about(trend.name)
        refused: list[Refusal] = []
        sampled = sum(1 for _ in self._read(trend, refused))
        self.refusals.extend(refused)
        if refused and not sampled:
            note = note or refused[0].reason
        return TrendHour(trend, sampled, len(pages), sum(page.cost for page in pages), note)

    def _read(self, trend: Trend, refusals: list[Refusal]) -> Iterator[Tweet]:
        seen: dict[str, int] = {}
        for page in self._answers.about(trend.name):
            parsed = self._source.parse_tweets(page, trend)
            refusals.extend(parsed.refusals)
            for tweet in parsed.items:
                text = hash(tweet.text)
                if tweet.tweet_id not in seen:
                    seen[tweet.tweet_id] = text
                    yield tweet
                elif seen[tweet.tweet_id] != text:
                    reason = f"the id {tweet.tweet_id!r:.60} is that of another tweet of the trend"
                    refusals.append(Refusal(reason, tweet.raw or tweet.text, trend.name))

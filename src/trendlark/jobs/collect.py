"""Collect an hour of a place: its trends, and a sample of the tweets of each.

Every answer is stored before it is read (table ``pages``), so a run that is killed asks, and pays, only for what
is missing when it comes back. Rows are made from what the table holds, never from memory, so two collectors of
the same hour make the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trendlark.errors import BudgetError, UnavailableError
from trendlark.hours import Hour, utc_now
from trendlark.jobs.progress import SILENT, Progress
from trendlark.jobs.runs import NOTHING, Tally, record_run
from trendlark.lake import Lake
from trendlark.records import Page, Place, Refusal, Run, Trend, TrendHour, Tweet
from trendlark.settings import Settings
from trendlark.sources.base import Source
from trendlark.sources.plan import HourPlan, TrendPlan, allowance, fits, plan_hour

JOB = "collect"


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
    # Requests of an earlier run that this one has not come across (yet).
    left_over: set[str] = field(default_factory=set)
    listed_in: str = ""

    def run(self) -> None:
        known = {page.request: page for page in self.lake.pages(self.hour, self.source.name, self.place.slug)}
        self.left_over = set(known)
        trends = self._trends(known)
        plan = self._plan(trends, known)
        self.progress.start(f"collect {self.place.slug} {self.hour}", len(plan.trends))
        for planned in plan.trends:
            if planned.tweets:
                self._fetch(planned, known)
            self.progress.advance()
        self._commit(plan)
        self.lake.drop_old_pages(self.hour - 48)

    def _trends(self, known: dict[str, Page]) -> Sequence[Trend]:
        key = self.listed_in = self.source.request_of_trends(self.place)
        page = known.get(key)
        if page is None:
            self._afford(self.source.cost_of_trends(), f"the trends of {self.place.slug}")
            page = self.source.trends(self.place, self.hour)
            self._store(page, known)
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

    def _plan(self, trends: Sequence[Trend], known: dict[str, Page]) -> HourPlan:
        # Kept like an answer: a plan made anew after a crash would count what is paid already against this hour,
        # come out smaller and ask for other windows than those that are here. It belongs to one list of trends:
        # a recording to which tweets were added has another one.
        key = f"plan of {self.listed_in}"
        page = known.get(key)
        if page is None:
            page = Page(key, _written(self._new_plan(trends)), utc_now())
            self._keep(page, known)
        return _read(page, trends)

    def _new_plan(self, trends: Sequence[Trend]) -> HourPlan:
        hourly = allowance(self.settings.budget_usd_per_day, self._spent_today(), Hour.now())
        return plan_hour(
            trends,
            self.settings.tweets_per_trend,
            self.settings.windows_per_hour,
            self.source,
            hourly / self._places_left(),
        )

    def _places_left(self) -> int:
        # The places of an hour are collected one after the other; each leaves the later ones their part.
        slugs = [place.slug for place in self.settings.place_list()]
        return len(slugs) - slugs.index(self.place.slug) if self.place.slug in slugs else 1

    def _fetch(self, planned: TrendPlan, known: dict[str, Page]) -> None:
        name = planned.trend.name
        # The plan may be older than the budget in force, or than what another run has spent since.
        paid = sum(page.cost for page in known.values() if page.trend == name)
        self._afford(planned.cost - paid, f"the tweets of {name!r} in {self.place.slug}")
        for page in self.source.pages(planned.trend, planned.tweets, planned.windows, known):
            if page.request not in known:
                self._store(page, known)
            self.left_over.discard(page.request)

    def _store(self, page: Page, known: dict[str, Page]) -> None:
        self._keep(page, known)
        self.tally.requests += 1
        self.tally.cost += page.cost

    def _keep(self, page: Page, known: dict[str, Page]) -> None:
        self.lake.add_page(self.hour, self.source.name, self.place.slug, page)
        known[page.request] = page

    def _commit(self, plan: HourPlan) -> None:
        if self.source.request_of_trends(self.place) != self.listed_in:
            raise UnavailableError(
                f"Found {self.source.name} changed while {self.place.slug} was collected; a recording must stay as "
                "it is until the hour is done. Run the hour again."
            )
        here = (self.hour, self.source.name, self.place.slug)
        # What an earlier run had of a recording that was changed since is no part of the sample.
        pages = [page for page in self.lake.pages(*here) if page.request not in self.left_over]
        if self.lake.collected(*here):
            # Another collector was first. What this one has asked for all the same is on its record.
            if not self.tally.requests:
                self.tally.status = NOTHING
            return
        sample = _Sample(self.source, self.place, self.hour, pages)
        rows = [sample.row(planned.trend, planned.note) for planned in plan.trends]
        if not rows and not self.tally.requests and len(self.lake.refused(*here)) == len(sample.refusals):
            # An hour without trends has no row that says that it was collected.
            self.tally.status = NOTHING
            return
        self.lake.commit_collection(
            *here,
            tweets=(tweet for planned in plan.trends for tweet in sample.tweets(planned.trend)),
            trends=rows,
            refusals=sample.refusals,
            run_id=self.tally.run_id,
        )
        self.tally.refused = len(sample.refusals)
        self.tally.count("trends", len(rows))
        self.tally.count("tweets", sum(row.sampled for row in rows))


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


class _Sample:
    """What the stored answers hold. They are read twice, so that no more than a page of tweets is in memory."""

    def __init__(self, source: Source, place: Place, hour: Hour, pages: Sequence[Page]) -> None:
        self._source = source
        self._pages: dict[str, list[Page]] = {}
        self.refusals: list[Refusal] = []
        for page in pages:
            if page.trend is not None:
                self._pages.setdefault(page.trend, []).append(page)
            elif page.request == source.request_of_trends(place):
                self.refusals += source.parse_trends(page, place, hour).refusals

    def tweets(self, trend: Trend) -> Iterator[Tweet]:
        """The tweets of a trend, each once."""
        return self._read(trend, [])

    def row(self, trend: Trend, note: str | None) -> TrendHour:
        """What was collected of a trend; its refusals are kept on the way."""
        pages = self._pages.get(trend.name, [])
        sampled = sum(1 for _ in self._read(trend, self.refusals))
        return TrendHour(trend, sampled, len(pages), sum(page.cost for page in pages), note)

    def _read(self, trend: Trend, refusals: list[Refusal]) -> Iterator[Tweet]:
        seen: set[str] = set()
        for page in self._pages.get(trend.name, []):
            parsed = self._source.parse_tweets(page, trend)
            refusals.extend(parsed.refusals)
            for tweet in parsed.items:
                if tweet.tweet_id not in seen:
                    seen.add(tweet.tweet_id)
                    yield tweet

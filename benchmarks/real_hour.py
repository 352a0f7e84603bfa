"""Real posts through the three jobs: one hour, one place, ten trends.

    python benchmarks/real_hour.py --data DATA/trend_events_es [--model default]

DATA/trend_events_es holds gzipped JSON lines ``{"text", "label"}``: 62,009 real Spanish posts of late 2022 about ten
trending events (github:carlosrod17/PCA_TSNE_NLP_comparison). They become one replayed hour of the place ``es``, the
label being the trend. Prints tweets a second for each job and the peak memory, checks that every row arrived, then
runs the hour again, which has nothing to do. Ends with 1 where a check fails.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trendlark.hours import Hour
from trendlark.jobs.analyze import analyze_hour
from trendlark.jobs.collect import collect_hour
from trendlark.jobs.runs import NOTHING
from trendlark.jobs.summarise import summarise_hour
from trendlark.lake import Lake, open_lake
from trendlark.nlu.analyzer import load
from trendlark.records import PLACES, Run
from trendlark.settings import load_settings
from trendlark.sources.replay import ReplaySource

HOUR = Hour.parse("2022-11-23T12")
MEMORY_LIMIT_MIB = 1536


@dataclass(frozen=True)
class Recorded:
    """What was written for replay."""

    posts: int
    texts: int
    trends: int


def record(data: Path, folder: Path) -> Recorded:
    """Write the posts as a replay folder; each has an id of its own, also where two say the same."""
    labels: Counter[str] = Counter()
    texts: set[bytes] = set()
    folder.mkdir(parents=True)
    with (folder / "tweets.jsonl").open("w", encoding="utf-8") as out:
        for number, row in enumerate(_rows(data)):
            tweet_id = f"{number:06d}"
            texts.add(hashlib.md5(row["text"].encode()).digest())
            labels[row["label"]] += 1
            moment = HOUR.start.timestamp() + number * 3600 / 65_000
            tweet = {
                "id": tweet_id,
                "place": "es",
                "trend": row["label"],
                "text": row["text"],
                "created_at": moment,
            }
            out.write(json.dumps(tweet, ensure_ascii=False) + "\n")
    with (folder / "trends.jsonl").open("w", encoding="utf-8") as out:
        for rank, (label, volume) in enumerate(labels.most_common(), start=1):
            trend = {"hour": str(HOUR), "place": "es", "rank": rank, "name": label, "volume": volume}
            out.write(json.dumps(trend) + "\n")
    return Recorded(labels.total(), len(texts), len(labels))


def _rows(data: Path) -> Iterator[dict[str, str]]:
    with gzip.open(data / "train.jsonl.gz", "rt", encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def run_jobs(lake: Lake, folder: Path, model: str) -> list[tuple[Run, float]]:
    """The three jobs, each with the seconds it took; the model is loaded before the clock starts."""
    settings = load_settings(
        {"replay_folder": folder, "source": "replay", "tweets_per_trend": 1000}, {}
    ).settings
    source, analyzer = ReplaySource(folder), load(model)
    timed = []
    work: tuple[Callable[[], Run], ...] = (
        lambda: collect_hour(lake, source, PLACES["es"], HOUR, settings),
        lambda: analyze_hour(lake, analyzer, HOUR),
        lambda: summarise_hour(lake, source.name, HOUR),
    )
    for job in work:
        start = time.perf_counter()
        run = job()
        timed.append((run, time.perf_counter() - start))
    source.close()
    analyzer.close()
    return timed


def check(lake: Lake, recorded: Recorded) -> list[str]:
    """What is not as it must be."""
    counted = {
        "rows in tweets": (_one(lake, "SELECT count(*) AS n FROM tweets"), recorded.posts),
        "distinct tweets": (_one(lake, "SELECT count(DISTINCT tweet_id) AS n FROM tweets"), recorded.posts),
        "rows in analyses": (_one(lake, "SELECT count(*) AS n FROM analyses"), recorded.posts),
        "distinct analyses": (
            _one(lake, "SELECT count(DISTINCT tweet_id) AS n FROM analyses"),
            recorded.posts,
        ),
        "summarised trends": (
            _one(lake, "SELECT count(*) AS n FROM trends WHERE summarised_at IS NOT NULL"),
            recorded.trends,
        ),
    }
    for name, (found, wanted) in counted.items():
        print(f"{name:<20} {found:>8,} of {wanted:,}")
    return [name for name, (found, wanted) in counted.items() if found != wanted]


def _one(lake: Lake, sql: str) -> int:
    return int(lake.sql(sql).read_all().to_pylist()[0]["n"])


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "replay"
        recorded = record(arguments.data, folder)
        print(
            f"{recorded.posts:,} posts ({recorded.texts:,} different texts) of {recorded.trends} trends in {HOUR}"
        )
        lake = open_lake(str(Path(scratch) / "lake"))
        for run, seconds in run_jobs(lake, folder, arguments.model):
            print(f"{run.job:<10} {seconds:7.1f} s {recorded.posts / seconds:9,.0f} tweets/s   {run.status}")
        wrong = check(lake, recorded)
        second = [run.status for run, _ in run_jobs(lake, folder, arguments.model)]
        print(f"second run: {', '.join(second)}")
        if second != [NOTHING] * 3:
            wrong.append("the second run did something")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak_mib:,.0f} MiB (at most {MEMORY_LIMIT_MIB:,})")
    if peak_mib > MEMORY_LIMIT_MIB:
        wrong.append("peak memory")
    for name in wrong:
        print(f"WRONG: {name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the Delta log holds, how it is kept short, and that upkeep and work do not disturb each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from deltalake import DeltaTable

from tests.support.lake_records import HOUR, MOMENT, analyzed, page, run, summary, trend_hour, tweet
from trendlark.lake import TABLES, Lake, open_lake
from trendlark.records import Refusal


def test_no_id_author_or_text_is_in_any_log(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    secret = "zzsecretzz"
    one = replace(
        tweet(secret, text=secret),
        author_id=secret,
        author_handle=secret,
        raw=secret,
        url=secret,
        window=secret,
    )
    lake.add_page(HOUR, "x", "es", page(secret, body=secret))
    lake.commit_collection(HOUR, "x", "es", [one], [trend_hour()], [Refusal(secret, secret)], "run")
    lake.insert_analyses(HOUR, [analyzed(secret)], "run")
    lake.replace_analyses(HOUR, [[analyzed(secret)]], "run")
    done = replace(trend_hour(), summary=replace(summary(), examples=(secret,)))
    lake.commit_summaries(HOUR, "x", [done], "run")
    lake.add_run(replace(run("1"), error=secret))
    lake.compact()
    looked_at = 0
    for name in TABLES:
        table = DeltaTable(tmp_path / name)
        table.create_checkpoint()
        assert secret not in str(table.history())
        for column, values in zip(
            (actions := table.get_add_actions(flatten=True)).schema.names, actions.columns, strict=True
        ):
            assert secret not in str(values.to_pylist()), (name, column)
        for file in (tmp_path / name / "_delta_log").iterdir():
            looked_at += 1
            assert secret.encode() not in file.read_bytes(), file
    assert looked_at > 2 * len(TABLES)


def test_the_log_gets_checkpoints(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    for number in range(TABLES["pages"].checkpoint_interval + 1):
        lake.add_page(HOUR, "x", "es", page(str(number)))
    assert (tmp_path / "pages" / "_delta_log" / "_last_checkpoint").exists()
    assert len(lake.pages(HOUR, "x", "es")) == TABLES["pages"].checkpoint_interval + 1


def test_vacuum_keeps_what_readers_may_still_need(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    lake.replace_analyses(HOUR, [[analyzed("1")]], "run")
    reading = lake.analyses(HOUR)
    lake.replace_analyses(HOUR, [[analyzed("2")]], "run")
    leftover = tmp_path / "analyses" / f"hour={HOUR}" / "part-of-a-failed-commit.parquet"
    leftover.write_bytes(b"x")
    assert lake.vacuum()["analyses"] == 0
    assert [a.tweet_id for a in reading] == ["2"]
    assert leftover.exists()
    assert lake.vacuum(retention_hours=0)["analyses"] == 2
    assert not leftover.exists()
    assert [a.tweet_id for a in lake.analyses(HOUR)] == ["2"]


def test_upkeep_while_others_write_loses_nothing(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))

    def insert() -> int:
        return sum(
            lake.insert_analyses(HOUR, [analyzed(str(n)), analyzed(str(n + 1))], "run") for n in range(10)
        )

    def collect() -> int:
        for number in range(6):
            lake.commit_collection(HOUR, "x", "es", [tweet(str(number))], [trend_hour()], [], "run")
            lake.add_page(HOUR, "x", "es", page(str(number), fetched_at=MOMENT))
        return 0

    def tidy() -> int:
        for _ in range(6):
            lake.compact()
            lake.drop_old_pages(HOUR)
        return 0

    jobs: list[Callable[[], int]] = [insert, collect, tidy]
    with ThreadPoolExecutor(3) as pool:
        added, *_ = [future.result(120) for future in [pool.submit(job) for job in jobs]]
    assert added == 11
    assert sorted(int(a.tweet_id) for a in lake.analyses(HOUR)) == list(range(11))
    assert [t.tweet_id for t in lake.tweets(HOUR)] == ["5"]
    assert len(lake.pages(HOUR, "x", "es")) == 6


def test_info_counts_without_reading_rows(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    for plus in range(3):
        lake.insert_analyses(HOUR + plus, [analyzed("1", hour=HOUR + plus)], "run")
    info = next(one for one in lake.info() if one.name == "analyses")
    assert (info.rows, info.files, info.partitions) == (3, 3, 3)
    assert (info.first, info.last) == (str(HOUR), str(HOUR + 2))
    assert info.size_bytes == sum(file.stat().st_size for file in (tmp_path / "analyses").rglob("*.parquet"))

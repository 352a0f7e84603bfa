"""The server under load beside the same model called in-process: ratios, from rounds that take turns.

    python benchmarks/serve.py [--rounds 3] [--seconds 8] [--clients 1 8 64] [--memory 100000] [--model default]

Serves the API in a process of its own, and asks it from this one: each client has a connection and asks again as soon
as it is answered (a closed loop). In every round the same texts, those of the sample in the package made different by a
number, go to the model in-process and to the server. In-process they go by calls of the same size from as many threads
as the machine has cores, and once more in bulk, 128 to a call, from where on larger calls gain nothing. All share the
machine's cores, the clients too. Then more clients come than the line holds: those who are sent away wait as long as
they are told. With ``--memory`` as many single texts are asked as given, and the server's memory is read on the way.

Ends with 1 where the most clients do not reach 80 % of the throughput of calls of the same size in-process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

import trendlark
from trendlark.nlu.batches import usable_cores

GOAL = 0.8
BATCH = 32
QUEUE_TEXTS = 256
BULK = 128
SAMPLE = Path(trendlark.__file__).parent / "sources" / "sample" / "tweets.jsonl"
WORDS = [json.loads(line)["text"] for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


@dataclass
class Seen:
    """What a round of asking saw."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0
    texts: int = 0
    lasted: float = 1.0

    @property
    def throughput(self) -> float:
        """Texts a second."""
        return self.texts / self.lasted

    def at(self, percent: int) -> float:
        """A percentile of the time of an answer, in milliseconds."""
        return statistics.quantiles(self.seconds, n=100)[percent - 1] * 1000 if len(self.seconds) > 1 else 0.0


def texts_of(start: int) -> Iterator[str]:
    """Texts of many lengths, no two the same."""
    for number in count(start):
        yield f"{WORDS[number % len(WORDS)]} {number}"


def request_of(texts: Sequence[str]) -> bytes:
    """A request as it goes over the wire."""
    body = json.dumps({"texts": list(texts)}).encode()
    head = (
        "POST /v1/analyze HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Status of an answer and its Retry-After; the body is read and let go."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    await reader.readexactly(int(fields[b"content-length"]))
    return int(head[9:12]), int(fields.get(b"retry-after", 0))


async def client(
    port: int, each: int, texts: Iterator[str], go_on: Callable[[Seen], bool], seen: Seen
) -> None:
    """Ask, wait for the answer, ask again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while go_on(seen):
        request = request_of(list(islice(texts, each)))
        began = time.perf_counter()
        writer.write(request)
        status, wait = await answer_of(reader)
        if status == 200:
            seen.seconds.append(time.perf_counter() - began)
            seen.texts += each
        elif status == 429:
            seen.refused += 1
            await asyncio.sleep(wait)
        else:
            seen.failed += 1
    writer.close()


def ask(port: int, clients: int, each: int, go_on: Callable[[Seen], bool]) -> Seen:
    """Clients in a closed loop for as long as they may go on."""
    seen = Seen()

    async def all_of() -> None:
        texts = texts_of(0)
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(client(port, each, texts, go_on, seen))

    began = time.perf_counter()
    asyncio.run(all_of())
    seen.lasted = time.perf_counter() - began
    return seen


def for_seconds(seconds: float) -> Callable[[Seen], bool]:
    """Go on until some seconds are over."""
    end = time.perf_counter() + seconds
    return lambda _: time.perf_counter() < end


def in_process(model: object, callers: int, each: int, seconds: float) -> float:
    """Texts a second of the model called by some threads."""
    done = [0] * callers
    end = time.perf_counter() + seconds

    def call(number: int) -> None:
        texts = texts_of(number * 10_000_000)
        while time.perf_counter() < end:
            model.analyze(list(islice(texts, each)))  # type: ignore[attr-defined]
            done[number] += each

    began = time.perf_counter()
    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def serve(model: str, folder: str, queue_texts: int = QUEUE_TEXTS) -> tuple[subprocess.Popen[str], int]:
    """The server in a process of its own, and its port."""
    command = [sys.executable, "-c", "from trendlark.cli import main; main()", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--model", model, "--lake", str(Path(folder) / "lake")],
        stderr=subprocess.PIPE,
        text=True,
        env={
            "PATH": "/usr/bin:/bin",
            "TRENDLARK_QUEUE_TEXTS": str(queue_texts),
            "TRENDLARK_DEADLINE_SECONDS": "120",  # throughput is measured, also where a machine is slow
        },
    )
    for line in process.stderr or ():
        if "http://" in line:
            return process, int(line.split("http://127.0.0.1:")[1].split()[0].rstrip("/"))
    raise SystemExit("the server did not start")


@contextmanager
def served(model: str, folder: str, queue_texts: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server that is warm, and stopped at the end."""
    process, port = serve(model, folder, queue_texts)
    try:
        ask(port, 8, 1, for_seconds(2))
        yield process, port
    finally:
        process.terminate()
        process.wait(30)


def memory_mb(process: subprocess.Popen[str]) -> float:
    """What the server holds in memory, in megabytes."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measure(model: object, port: int, options: argparse.Namespace) -> float:
    """Rounds of every kind; returns the lesser median of the most clients, beside calls of the same size."""
    kinds = [(clients, each) for each in (1, BATCH) for clients in options.clients]
    ratios: dict[tuple[int, int], list[float]] = {kind: [] for kind in kinds}
    by_call: dict[tuple[int, int], list[float]] = {kind: [] for kind in kinds}
    seen: dict[tuple[int, int], Seen] = {}
    for number in range(options.rounds):
        for kind in kinds:
            clients, each = kind
            bulk = in_process(model, 1, BULK, options.seconds / 2)
            calls = in_process(model, usable_cores(), each, options.seconds / 2)
            seen[kind] = ask(port, clients, each, for_seconds(options.seconds))
            bulk = (bulk + in_process(model, 1, BULK, options.seconds / 2)) / 2
            ratios[kind].append(seen[kind].throughput / bulk)
            by_call[kind].append(seen[kind].throughput / calls)
            if seen[kind].failed:
                print(f"round {number + 1}: {seen[kind].failed} answers failed")
    print("clients  texts  of in-process bulk  of in-process calls   p50 ms   p95 ms   p99 ms  (last round)")
    for kind in kinds:
        one, times = seen[kind], "".join(f"{seen[kind].at(percent):9.0f}" for percent in (50, 95, 99))
        ratio, calls = statistics.median(ratios[kind]), statistics.median(by_call[kind])
        print(f"{kind[0]:7}  {kind[1]:5}  {ratio:18.0%}  {calls:19.0%}{times}  {one.throughput:.0f} texts/s")
    return min(statistics.median(by_call[max(options.clients), each]) for each in (1, BATCH))


def overload(port: int, seconds: float) -> None:
    """The line just full, and twice as many callers."""
    full = ask(port, QUEUE_TEXTS, 1, for_seconds(seconds))
    more = ask(port, 2 * QUEUE_TEXTS, 1, for_seconds(seconds))
    print(
        f"{QUEUE_TEXTS} clients fill the line: p95 {full.at(95):.0f} ms, {full.refused} answered 429\n"
        f"{2 * QUEUE_TEXTS} clients: p95 of the accepted {more.at(95):.0f} ms ({more.at(95) / full.at(95):.2f} times), "
        f"{more.refused} answered 429, {more.failed} failed, throughput {more.throughput / full.throughput:.2f} times"
    )


def memory(port: int, process: subprocess.Popen[str], requests: int) -> None:
    """Memory along many requests."""
    for part in range(1, 11):
        ask(port, 64, 1, lambda seen: len(seen.seconds) + seen.refused + 63 < requests // 10)
        print(f"after {requests * part // 10:7,} requests: {memory_mb(process):.0f} MB")


def main() -> int:
    """Serve, ask, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    model = trendlark.load(options.model)
    reached = None
    with tempfile.TemporaryDirectory() as folder:
        if options.rounds:
            # A line that holds all that the clients have open: here none is to be sent away.
            with served(options.model, folder, max(QUEUE_TEXTS, max(options.clients) * BATCH)) as (_, port):
                reached = measure(model, port, options)
        with served(options.model, folder, QUEUE_TEXTS) as (process, port):
            overload(port, options.seconds)
            if options.memory:
                memory(port, process, options.memory)
    if reached is None:
        return 0
    print(
        f"{max(options.clients)} clients reach {reached:.0%} of such calls in-process (the goal is {GOAL:.0%})"
    )
    return 0 if reached >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

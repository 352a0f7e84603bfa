"""The model in the package on one core: tweets a second, size, and how a 125 M-parameter model of one task compares.

    python benchmarks/model.py                   # all; needs the extra [train] for the peer, some 3 GB of memory
    python benchmarks/model.py --no-peer         # the shipped model alone
    python benchmarks/model.py --model FOLDER

The peer has the shape of RoBERTa-base (12 layers, 768 wide, 50,265 pieces), as published tweet models have, with random
weights: speed and size do not depend on what they say. It is built by the same exporter, once in single precision, as
such models are published, and once in 8 bits. All run the same token ids of the bundled sample's tweets in turn, one
thread each; the least CPU time of several rounds counts, so that other work on the machine weighs little.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from trendlark.nlu.analyzer import load
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.runtime import onnxruntime
from trendlark.nlu.tasks import TASKS
from trendlark.nlu.text import normalise

ROUNDS = 3
BATCH = 16
# The peer is some twenty times as slow: it is timed on every eighth tweet.
PEER_EVERY = 8
PEER = {"vocabulary": 50_265, "width": 768, "layers": 12, "heads": 12, "inner": 3072, "positions": 96}

Run = Callable[[], None]


def sample_tweets() -> list[str]:
    """The texts of the tweets that the package carries."""
    lines = (files("trendlark.sources") / "sample" / "tweets.jsonl").read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(str(json.loads(line)["text"]) for line in lines if line.strip()))


def graph_runner(model: Path, ids: Sequence[list[int]]) -> Run:
    """Run a graph over the ids, in batches of one length, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    by_length: dict[int, list[list[int]]] = {}
    for row in ids:
        by_length.setdefault(len(row), []).append(row)
    batches = [
        np.array(rows[at : at + BATCH], np.int64)
        for rows in by_length.values()
        for at in range(0, len(rows), BATCH)
    ]

    def run() -> None:
        for batch in batches:
            session.run(None, {"input_ids": batch})

    return run


def write_peer(path: Path, *, int8: bool) -> int:
    """Write the peer's graph with random weights; return how many parameters its network has."""
    # Only the peer needs the extra [train].
    import onnx  # noqa: PLC0415
    import torch  # noqa: PLC0415

    from trendlark.training import graph  # noqa: PLC0415
    from trendlark.training.model import Network, Shape  # noqa: PLC0415

    torch.manual_seed(0)
    network = Network(Shape(**PEER))
    weights = {name: value.float().numpy() for name, value in network.state_dict().items()}
    onnx.save(graph.build(weights, network.shape, int8=int8), str(path))
    return sum(value.size for value in weights.values())


def least_seconds(runs: dict[str, Run]) -> dict[str, float]:
    """The least CPU seconds of each, the runs taking turns."""
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS + 1):  # the first round warms up and may be the least, too
        for name, run in runs.items():
            before = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - before)
    return least


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="default")
    parser.add_argument("--no-peer", action="store_true")
    given = parser.parse_args()
    artifact = load_artifact(given.model)
    texts = sample_tweets()
    tokenizer = Tokenizer.from_file(str(artifact.tokenizer_file))
    most = artifact.manifest.max_tokens
    ids = [tokenizer.encode(normalise(text).text).ids[:most] for text in texts]
    tokens = sum(map(len, ids)) / len(ids)
    print(f"{len(texts)} tweets of the sample, {tokens:.1f} tokens each in the mean; one thread, CPU time")
    with tempfile.TemporaryDirectory() as scratch, load(given.model, threads=1) as analyzer:
        runs: dict[str, Run] = {
            "whole": lambda: analyzer.analyze(texts).clear(),
            "graph": graph_runner(artifact.model_file, ids),
        }
        sizes = {"graph": artifact.model_file.stat().st_size}
        counts = {"whole": len(texts), "graph": len(texts)}
        if not given.no_peer:
            few = [[one % PEER["vocabulary"] for one in row] for row in ids[::PEER_EVERY]]
            for name, int8 in (("peer", False), ("peer in 8 bits", True)):
                path = Path(scratch) / f"{int8}.onnx"
                parameters = write_peer(path, int8=int8)
                runs[name], counts[name] = graph_runner(path, few), len(few)
                sizes[name] = path.stat().st_size
            print(f"peer: {parameters / 1e6:.0f} M parameters, timed on {len(few)} of the tweets")
        seconds = least_seconds(runs)
    speed = {name: counts[name] / seconds[name] for name in runs}
    folder = sum(path.stat().st_size for path in artifact.folder.iterdir() if path.is_file())
    print(f"{artifact.name}: {folder / 1e6:.1f} MB in all, {sizes['graph'] / 1e6:.1f} MB of it the graph")
    print(
        f"  text to analysis   {speed['whole']:7.0f} tweets/s (all {len(TASKS)} tasks, language, marks, keyphrases)"
    )
    print(f"  graph alone        {speed['graph']:7.0f} tweets/s")
    for name in ("peer", "peer in 8 bits") if not given.no_peer else ():
        ratio = speed["graph"] / speed[name]
        print(
            f"{name:<20} {speed[name]:7.1f} tweets/s and {sizes[name] / 1e6:.0f} MB for one task: "
            f"the model is {ratio:.1f} times as fast and {sizes[name] / sizes['graph']:.1f} times as small; "
            f"for {len(TASKS)} tasks {len(TASKS) * ratio:.0f} and {len(TASKS) * sizes[name] / sizes['graph']:.0f} times"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

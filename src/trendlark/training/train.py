"""One training run, top to bottom: a base, then all tasks at once; resumable at any time.

    python -m trendlark.training.train --data DATA --out OUT --recipe default            # the shipped model
    python -m trendlark.training.train --data DATA --out OUT --recipe default --minutes 5   # a quick look
    OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 -m trendlark.training.train ...         # on two cores, or GPUs

A GPU is used when PyTorch sees one. Running the same command again goes on from ``OUT/last.pt``, or finds that
nothing is left to do; a checkpoint of another recipe, start or file of soft labels is refused. With ``--minutes``
the clock ends the run and lowers the learning rate; without, the steps of the recipe do, and a resumed run gives
what an undisturbed one gives, in a team of as many processes, too.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trendlark.training import checkpoint, masked, team
from trendlark.training.bert import load_bert
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import file_digest, some_texts
from trendlark.training.data_report import write_report
from trendlark.training.deepen import deepen, shorten
from trendlark.training.dequantise import from_artifact
from trendlark.training.e5 import SPECIAL, load_e5, make_tokenizer, read_e5
from trendlark.training.examples import emoji_labels, load_examples
from trendlark.training.keeper import LAST, Keeper, take_up
from trendlark.training.losses import disagreement, task_losses
from trendlark.training.mixture import Batch, Mixture, shares
from trendlark.training.model import Network
from trendlark.training.noise import make_noise
from trendlark.training.optimise import Clock, Optimiser, rate_factor
from trendlark.training.pieces import keep_pieces
from trendlark.training.precision import autocast, choose
from trendlark.training.recipe import Recipe, load_recipe
from trendlark.training.soft import soft_examples

_log = logging.getLogger(__name__)

_LOG_EVERY = 100
Progress = Callable[[float], None]


def run(
    data: Path,
    out: Path,
    recipe: str = "default",
    minutes: float | None = None,
    start: Path | None = None,
    progress: Progress | None = None,
    soft: Path | None = None,
    base: str | None = None,
) -> Path:
    """Train by the recipe on the sets in ``data`` and return the checkpoint, ``out/last.pt``.

    ``minutes`` bounds the multi-task stage; ``start`` is a checkpoint (.pt), ``default`` or the folder of another
    artefact, to begin from instead of the base; ``progress`` is called with the share of the multi-task stage that is
    done; ``soft`` is a file of soft labels (``soft.py``) to mix in; ``base`` takes the place of the recipe's.
    """
    chosen = load_recipe(recipe, base)
    device = _device()
    crew = team.join(chosen.average_every)
    last = out / LAST
    torch.manual_seed(chosen.seed)
    state = _state(last, data, chosen, start, soft)
    # N-grams are fitted to what the network says, so at the end of a run.
    state.ngrams = None
    network = state.network.to(device)
    network.word_dropout = chosen.word_dropout
    network.freeze(chosen.frozen)
    crew.begin(network)
    mixture = _mixture(data, soft, state, chosen, crew)
    reader = _Reader(network, device, chosen, masked.blanks(state.tokenizer, chosen.masked))
    clock = _schedule(mixture, chosen, crew, minutes)
    optimiser = Optimiser(network, chosen.rates)
    # Each process of a team draws batches and drops units of its own.
    if crew.rank:
        torch.manual_seed(chosen.seed + 1000 * crew.rank)
    keeper = Keeper(state, data, out, chosen, clock, optimiser, crew)
    skip = keeper.resume()
    if crew.first and skip == 0:
        # What the data are is looked at before anything is learnt from them.
        write_report(data, out)
    stream = mixture.batches(skip)
    network.train()
    means: dict[str, float] = {}
    clock.start()
    while not (keeper.finished or (crew.meets(clock.step) and crew.any(clock.done or keeper.stopped))):
        losses = reader.losses(next(stream))
        total = torch.stack([loss * chosen.weights.get(name, 1.0) for name, loss in losses.items()]).sum()
        # Clocks differ from process to process, and steps that are to be the same need one rate.
        optimiser.step(total, rate_factor(crew.agree(clock.progress), chosen.warm_up), crew.mean_gradients)
        clock.tick()
        _note(means, losses, clock)
        if progress:
            progress(clock.progress)
        if crew.meets(clock.step):
            crew.average(network)
            keeper.look()
    keeper.end()
    team.leave()
    return last


def _device() -> torch.device:
    gpus = torch.cuda.device_count()
    device = team.device_of(os.environ, gpus)
    if gpus:
        # What asks for "the GPU" is to get this process's own.
        torch.cuda.set_device(device)
    _log.info("device: %s, because PyTorch sees %s", device, f"{gpus} GPUs" if gpus else "no GPU")
    # Told here, where the other choices are, not at the first batch.
    choose(device.type)
    return device


def _state(last: Path, data: Path, recipe: Recipe, start: Path | None, soft: Path | None) -> Checkpoint:
    """Return what the run goes on from: its own checkpoint where one is there, else what it begins from."""
    # Where the start lies, not what: that may be gone, or written anew, before a run that was cut off goes on.
    place = start and (start if str(start) == "default" else start.resolve())
    origin = {"start": str(place or "")}
    # Of a file that is missing its reader tells.
    if soft is None or soft.exists():
        origin["soft"] = file_digest(soft) if soft else ""
    if last.exists():
        return take_up(last, recipe, origin)
    state = start_state(data, recipe, start)
    state.more |= origin
    return state


def start_state(data: Path, recipe: Recipe, start: Path | None) -> Checkpoint:
    """Return what the multi-task stage begins from: a checkpoint or artefact as asked, or the recipe's base."""
    state = _base(recipe, data) if start is None else _as_deep(_start(data, start), data, recipe)
    return masked.with_guesses(state, wanted=recipe.masked > 0)


def _start(data: Path, start: Path) -> Checkpoint:
    _log.info("start: %s, because it was asked for", start)
    if start.suffix != ".pt":
        return from_artifact(start, emoji_labels(data))
    state = checkpoint.load(start)
    state.more = {"history": checkpoint.history(state)}
    return state


def _as_deep(state: Checkpoint, data: Path, recipe: Recipe) -> Checkpoint:
    """Return the start with as many layers as the recipe has; 0 leaves it as it is."""
    own = state.network.shape.layers
    if recipe.layers in (0, own):
        return state
    if recipe.layers < own:
        _log.info(
            "layers: the start's highest %d left out, because the recipe has %d",
            own - recipe.layers,
            recipe.layers,
        )
        return shorten(state, recipe.layers)
    _log.info("layers: %d more from the base, because the recipe has %d", recipe.layers - own, recipe.layers)
    if recipe.base == "e5":
        # One piece of the vocabulary will do: only the layers are taken.
        base = load_e5(read_e5(), np.array([len(SPECIAL)]), layers=recipe.layers)
    else:
        base, _ = load_bert(Path(recipe.base), layers=recipe.layers)
    return deepen(state, base, some_texts(data))


def _base(recipe: Recipe, data: Path) -> Checkpoint:
    emoji = emoji_labels(data)
    if recipe.base == "e5":
        _log.info("base: multilingual-e5-small, because the recipe says so")
        base = read_e5()
        kept = keep_pieces(base, data, recipe.pieces)
        return Checkpoint(load_e5(base, kept, len(emoji), recipe.layers), make_tokenizer(base, kept), emoji)
    _log.info("base: the folder %s, because the recipe says so", recipe.base)
    return Checkpoint(*load_bert(Path(recipe.base), len(emoji), recipe.layers), emoji)


def _mixture(data: Path, soft: Path | None, state: Checkpoint, recipe: Recipe, crew: team.Team) -> Mixture:
    """Return what the batches of this process are drawn from."""
    noise = make_noise(data, recipe.noise, recipe.unsearched, recipe.seed)
    examples = load_examples(data, state.tokenizer, state.emoji, noise, recipe.rarity)
    if soft is not None:
        examples |= soft_examples(soft, state.tokenizer, noise, recipe.soft_without)
    if recipe.masked:
        texts = masked.text_examples(data, state.tokenizer, state.emoji, recipe.seed)
        if "optimiser" not in state.more:
            masked.begin(state.network, itertools.chain.from_iterable(texts.values()))
        examples |= texts
    parts = shares({name: len(rows) for name, rows in examples.items()}, recipe.power, recipe.boosts)
    for name, share in sorted(parts.items(), key=lambda item: -item[1]):
        _log.info(
            "mixture: %s %.1f %% of the examples drawn, because that is the share of %d to the power %g times %g",
            name,
            100 * share,
            len(examples[name]),
            recipe.power,
            recipe.boosts.get(name, 1.0),
        )
    return Mixture(examples, parts, recipe.tokens_per_batch, recipe.seed + crew.rank, len(state.emoji))


def _schedule(mixture: Mixture, recipe: Recipe, crew: team.Team, minutes: float | None) -> Clock:
    """Return the clock that ends the run, by the steps of each process or by the minutes that were asked for."""
    steps, why = recipe.steps, "the recipe has so many"
    if recipe.epochs:
        steps = mixture.steps(recipe.epochs / crew.size)
        why = f"they are the recipe's {recipe.epochs:g} epochs"
        why += f" in {crew.size} processes" if crew.size > 1 else ""
    if minutes:
        why += f", or {minutes:g} minutes where these are over first, because they were asked for"
    _log.info("schedule: %d steps, because %s", steps, why)
    return Clock(steps, minutes)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads a batch as the recipe says and tells its losses."""

    network: Network
    device: torch.device
    recipe: Recipe
    blanks: masked.Blanks

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of each task that the batch supervises."""
        batch = (batch.twice() if self.recipe.r_drop else batch).to(self.device)
        blank = self.blanks.choose(batch) if self.recipe.masked else None
        with autocast(self.device):
            out = self.network(batch.ids, batch.mask, blank)
        losses = task_losses(out, batch, self.recipe.smoothing)
        if self.recipe.r_drop:
            losses["r_drop"] = self.recipe.r_drop * disagreement(out, batch)
        if blank is not None and bool(blank.any()):
            losses["words"] = masked.word_loss(out["guesses"], batch, blank)
        return losses


def _note(means: dict[str, float], losses: dict[str, Tensor], clock: Clock) -> None:
    for name, loss in losses.items():
        means[name] = 0.98 * means.get(name, loss.item()) + 0.02 * loss.item()
    if clock.step % _LOG_EVERY == 0:
        said = ", ".join(f"{name} {mean:.3f}" for name, mean in sorted(means.items()))
        _log.info("step %d, %.0f s, %.1f %%: %s", clock.step, clock.seconds, 100 * clock.progress, said)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--minutes", type=float)
    # Not --start, which torchrun would take for an option of its own.
    parser.add_argument("--from-checkpoint", type=Path)
    parser.add_argument("--soft", type=Path)
    parser.add_argument("--base")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    run(
        given.data,
        given.out,
        given.recipe,
        given.minutes,
        given.from_checkpoint,
        soft=given.soft,
        base=given.base,
    )


if __name__ == "__main__":
    main()

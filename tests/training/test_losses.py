"""A set pushes only what it annotates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Categorical, kl_divergence

from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import Row, entity_example, make_examples
from trendlark.training.losses import (
    choice_loss,
    disagreement,
    label_loss,
    single_emotion_loss,
    smooth,
    tag_loss,
    task_losses,
)
from trendlark.training.mixture import Batch, collate
from trendlark.training.model import POOLED_TASKS
from trendlark.training.sets import SETS

ROWS = {
    "tweeteval_sentiment": [Row("good", ("positive",)), Row("bad", ("negative",))],
    "emoevent_es": [Row("bien", ("joy",)), Row("mesa", ("others",))],
    "tweeteval_irony": [Row("great", ("irony",)), Row("table", ("non_irony",))],
    "tweeteval_hate": [Row("vanish", ("hate",)), Row("table", ("not-hate",))],
    "offendes_es": [Row("tonto", ("OFP",)), Row("mesa", ("NOE",))],
    "tweet_topicxl_en": [Row("match", ("sports",)), Row("song", ("music",))],
}


@pytest.mark.parametrize("key", list(ROWS))
def test_heads_that_a_set_does_not_annotate_get_no_gradient(key: str, state: Checkpoint) -> None:
    examples = make_examples(ROWS[key], SETS[key], state.tokenizer)
    batch = collate(examples, len(state.emoji))
    losses = task_losses(state.network(batch.ids, batch.mask), batch)
    assert set(losses) == {SETS[key].task}
    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
    for name in POOLED_TASKS:
        gradient = state.network.heads[name].get_parameter("logits.weight").grad
        touched = gradient is not None and bool(gradient.abs().sum() > 0)
        assert touched == (name == SETS[key].task)
    assert state.network.entities.logits.weight.grad is None
    assert state.network.emoji is not None
    assert state.network.emoji.logits.weight.grad is None


def test_emotions_that_a_set_does_not_annotate_get_no_gradient(state: Checkpoint) -> None:
    batch = collate(make_examples(ROWS["emoevent_es"], SETS["emoevent_es"], state.tokenizer), 0)
    logits = torch.randn(2, 8, requires_grad=True)
    task_losses({"emotions": logits}, batch)["emotions"].backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    silent = [label not in SETS["emoevent_es"].annotated for label in TASKS["emotions"].labels]
    assert not logits.grad[:, silent].any()
    assert logits.grad[:, [not one for one in silent]].all()


def test_a_set_without_neutral_chooses_between_the_other_two() -> None:
    entry = replace(SETS["tweeteval_sentiment"], labels={"negative": "negative", "positive": "positive"})
    weights = torch.tensor([[1.0, 0.0, 1.0]])
    assert entry.annotated == ("negative", "positive")
    loss = choice_loss(torch.tensor([[0.0, 9.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]]), weights)
    assert loss.item() == pytest.approx(math.log(2))


def test_label_loss_weighs_each_element() -> None:
    loss = label_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]]))
    assert loss.item() == pytest.approx(3 * math.log(2))


def test_none_of_the_emotions_stands_for_a_logit_of_nought(state: Checkpoint) -> None:
    rows = [Row("mesa", ("others",)), Row("bien", ("joy",))]
    batch = collate(make_examples(rows, SETS["emoevent_es"], state.tokenizer), 0)
    weight = batch.weights["emotions"][1, TASKS["emotions"].labels.index("joy")].item()
    loss = single_emotion_loss(torch.zeros(2, 8), batch)
    assert loss[0].item() == pytest.approx(math.log(7))
    assert loss[1].item() == pytest.approx(weight * math.log(7), rel=1e-5)


def test_a_token_may_have_any_of_its_allowed_tags() -> None:
    width = len(entity_tags())
    allowed = torch.ones(1, 2, width, dtype=torch.bool)
    allowed[0, 0] = False
    allowed[0, 0, :3] = True
    assert tag_loss(torch.zeros(1, 2, width), allowed).item() == pytest.approx(math.log(width / 3))


def test_an_outside_token_may_be_what_the_set_does_not_annotate(state: Checkpoint) -> None:
    example = entity_example(Row("", (), ("Ana", "sings"), ("B-PER", "O")), SETS["ner_btc"], state.tokenizer)
    assert example.allowed_tags is not None
    tags = np.array(entity_tags())
    at = [state.tokenizer.id_to_token(one) for one in example.ids].index("sings")
    silent = {f"{part}-{label}" for part in "BI" for label in ("product", "work", "misc")}
    assert set(tags[example.allowed_tags[at]]) == {"O"} | silent
    assert set(tags[example.allowed_tags[1]]) == {"B-person"}
    assert example.allowed_tags[0].all()


def test_a_share_of_what_people_said_is_spread_over_what_they_might_have_said() -> None:
    values = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.1, 0.2, 0.7]])
    weights = torch.tensor([[2.0, 2.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    spread = smooth("sentiment", values, weights, 0.3)
    # Of three labels, and of the two that a set without neutral has; the last row is a teacher's.
    expected = torch.tensor([[0.1, 0.1, 0.8], [0.15, 0.0, 0.85], [0.1, 0.2, 0.7]])
    torch.testing.assert_close(spread, expected)
    assert smooth("sentiment", values, weights, 0.0) is values


def test_yes_and_no_are_spread_over_both() -> None:
    spread = smooth("irony", torch.tensor([[1.0], [0.0], [0.4]]), torch.ones(3, 1), 0.2)
    torch.testing.assert_close(spread, torch.tensor([[0.9], [0.1], [0.4]]))


def test_a_text_that_no_set_of_the_task_holds_is_not_spread_to_anything() -> None:
    assert not smooth("sentiment", torch.zeros(1, 3), torch.zeros(1, 3), 0.5).any()


def test_the_loss_is_least_at_the_spread_label(state: Checkpoint) -> None:
    batch = collate(make_examples(ROWS["tweeteval_irony"], SETS["tweeteval_irony"], state.tokenizer), 0)

    def loss(sure: float) -> float:
        logits = torch.tensor([[sure], [-sure]])
        return task_losses({"irony": logits}, batch, smoothing=0.2)["irony"].item()

    best = math.log(0.9 / 0.1)
    assert loss(best) < min(loss(best - 0.5), loss(best + 0.5))


def _answers(batch: Batch, **moved: torch.Tensor) -> dict[str, torch.Tensor]:
    size = len(batch.ids)
    return {name: torch.zeros(size, TASKS[name].width) for name in POOLED_TASKS} | moved


def test_two_answers_alike_do_not_disagree(state: Checkpoint) -> None:
    rows = ROWS["tweeteval_sentiment"]
    batch = collate(make_examples(rows, SETS["tweeteval_sentiment"], state.tokenizer), 0).twice()
    same = torch.randn(2, 3).repeat(2, 1)
    assert disagreement(_answers(batch, sentiment=same), batch).item() == 0.0


def test_disagreement_is_the_mean_divergence_both_ways(state: Checkpoint) -> None:
    rows = ROWS["tweeteval_sentiment"]
    batch = collate(make_examples(rows, SETS["tweeteval_sentiment"], state.tokenizer), 0).twice()
    logits = torch.randn(4, 3)
    first, second = Categorical(logits=logits[:2]), Categorical(logits=logits[2:])
    both = kl_divergence(first, second) + kl_divergence(second, first)
    found = disagreement(_answers(batch, sentiment=logits), batch)
    assert found.item() == pytest.approx(both.sum().item() / 4, rel=1e-5)


def test_disagreement_counts_annotated_labels_alone(state: Checkpoint) -> None:
    batch = collate(make_examples(ROWS["emoevent_es"], SETS["emoevent_es"], state.tokenizer), 0).twice()
    silent = torch.tensor([label not in SETS["emoevent_es"].annotated for label in TASKS["emotions"].labels])
    logits = torch.randn(4, 8, requires_grad=True)
    other = torch.randn(4, 3, requires_grad=True)
    disagreement(_answers(batch, emotions=logits, sentiment=other), batch).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert other.grad is not None
    assert not logits.grad[:, silent].any()
    assert logits.grad[:, ~silent].all()
    assert not other.grad.any()


def test_disagreement_of_labels_is_that_of_coins(state: Checkpoint) -> None:
    batch = collate(
        make_examples(ROWS["tweeteval_irony"], SETS["tweeteval_irony"], state.tokenizer), 0
    ).twice()
    logits = torch.tensor([[2.0], [0.5], [-1.0], [0.5]])
    first, second = Bernoulli(logits=logits[0]), Bernoulli(logits=logits[2])
    both = kl_divergence(first, second) + kl_divergence(second, first)
    found = disagreement(_answers(batch, irony=logits), batch)
    assert found.item() == pytest.approx(both.item() / 4, rel=1e-5)

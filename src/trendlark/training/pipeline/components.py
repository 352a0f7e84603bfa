"""The components: each takes parameters, calls one step of ``trendlark.training.steps``, and shows what it gave.

Kubeflow copies the source of each function into the pipeline and runs it in our ``train`` image, so a function
imports what it needs itself. Annotations are read when the module is loaded and must not be strings.
"""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, ClassificationMetrics, Dataset, Input, Markdown, Metrics, Model, Output

from trendlark import __version__

# What `make images` builds; `trendlark pipeline compile --image` names it in your registry.
IMAGE = f"trendlark/train:{__version__}"

_component = dsl.component(base_image=IMAGE, install_kfp_package=False)


@_component
def prepare_data(root: str, source: str, taken: Output[Dataset]) -> str:
    """Take the data onto the claim; the digest that is returned names them for all later steps."""
    from pathlib import Path

    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.data import prepare

    claim = Claim(Path(root))
    with claim.logged("prepare-data"):
        digest = prepare(claim, source)
    taken.metadata.update({"digest": digest, "source": source, "folder": str(claim.data(digest))})
    return digest


@_component
def report_data(root: str, digest: str, report: Output[Markdown]) -> None:
    """Tell what the data hold."""
    from pathlib import Path

    from trendlark.training.steps import data
    from trendlark.training.steps.claim import Claim

    claim = Claim(Path(root))
    with claim.logged("report-data"):
        Path(report.path).write_text(data.report(claim, digest), encoding="utf-8")


@_component
def find_service(
    root: str,
    models: str,
    service: str,
) -> NamedTuple("Service", [("address", str), ("name", str)]):  # type: ignore[valid-type]
    """Find the model in service; its name has its digest, so that what is scored next is cached by what it is."""
    from collections import namedtuple
    from pathlib import Path

    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.shelf import in_service, name_of, open_shelf

    claim = Claim(Path(root))
    with claim.logged("find-service"):
        address = in_service(open_shelf(models or str(claim.models)), service)
        answer = namedtuple("answer", "address name")
        return answer(address, name_of(address))


@_component
def plan_runs(
    digest: str,
    recipe: str,
    base: str,
    seeds: list,  # type: ignore[type-arg]
    steps: int,
    minutes: float,
    epochs: float,
) -> list:  # type: ignore[type-arg]
    """The runs to do, one for each seed, named by all that they depend on.

    Each holds all that its steps need: in a loop on one machine, kfp hands over the loop's item in the place of
    any other step's output.
    """
    from trendlark.training.steps.learn import plan

    return [one.to_dict() for one in plan(digest, recipe, base, seeds, steps, minutes, epochs)]


@_component
def train_model(root: str, plan: dict) -> str:  # type: ignore[type-arg]
    """Train one model; a pod that follows a killed one goes on from its last checkpoint."""
    from pathlib import Path

    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.learn import Plan, learn

    claim = Claim(Path(root))
    with claim.logged("train-model"):
        return learn(claim, Plan(**plan))


@_component
def evaluate_model(
    root: str,
    run: str,
    limit: int,
    scores: Output[Metrics],
    sentiment: Output[ClassificationMetrics],
    irony: Output[ClassificationMetrics],
    hate: Output[ClassificationMetrics],
    offensive: Output[ClassificationMetrics],
    by_language: Output[HTML],
) -> dict:  # type: ignore[type-arg]
    """Score a run by task and language, with confusion, ROC curves and bars for the dashboard."""
    from pathlib import Path

    from trendlark.training.steps.bars import bars
    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.gate import by_task_and_language
    from trendlark.training.steps.judge import judge

    claim = Claim(Path(root))
    with claim.logged("evaluate-model"):
        evaluation, pictures = judge(claim, run, limit)
    found = by_task_and_language(evaluation.sets)
    scores.log_metric("mean_of_tasks", round(evaluation.mean, 4))
    for name, score in found.items():
        scores.log_metric(name.replace(" ", "_"), round(score, 4))
    if pictures.confusion:
        sentiment.log_confusion_matrix(list(pictures.labels), pictures.confusion)
    for artifact, task in ((irony, "irony"), (hate, "hate"), (offensive, "offensive")):
        if task in pictures.roc:
            artifact.log_roc_curve(*pictures.roc[task])
    Path(by_language.path).write_text(bars(run, found), encoding="utf-8")
    return evaluation.to_dict()


@_component
def evaluate_service(root: str, digest: str, address: str, name: str, limit: int) -> dict:  # type: ignore[type-arg]
    """Score the model in service on the same rows."""
    from pathlib import Path

    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.judge import judge_service

    claim = Claim(Path(root))
    with claim.logged("evaluate-service"):
        return judge_service(claim, digest, address, name, limit).to_dict()


@_component
def gate_model(
    evaluations: list,  # type: ignore[type-arg]
    service: dict,  # type: ignore[type-arg]
    mean_gain: float,
    task_loss: float,
    language_loss: float,
    comparison: Output[Markdown],
    picture: Output[HTML],
) -> NamedTuple("Gate", [("run", str), ("verdict", str), ("told", str), ("mean", float)]):  # type: ignore[valid-type]
    """Choose the best seed and hold it against the model in service: ``passed`` or ``held``."""
    from collections import namedtuple
    from pathlib import Path

    from trendlark.training.steps import gate
    from trendlark.training.steps.bars import bars

    best, serving = gate.choose(evaluations), gate.Evaluation(**service)
    verdict = gate.weigh(best, serving, gate.Margins(mean_gain, task_loss, language_loss))
    text = gate.comparison(best, serving, verdict)
    Path(comparison.path).write_text(text, encoding="utf-8")
    ours, theirs = gate.by_task_and_language(best.sets), gate.by_task_and_language(serving.sets)
    Path(picture.path).write_text(bars(best.model, ours, theirs), encoding="utf-8")
    answer = namedtuple("answer", "run verdict told mean")
    reasons = "; ".join(verdict.reasons) or "all margins hold"
    return answer(best.model, "passed" if verdict.passed else "held", reasons, best.mean)


@_component
def export_model(
    root: str,
    run: str,
    name: str,
    tolerance: float,
    limit: int,
    model: Output[Model],
    check: Output[Markdown],
) -> str:
    """Export with 8 bits, hold it against the framework, and return the artefact's folder."""
    import shutil
    from dataclasses import asdict
    from pathlib import Path

    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.ship import ship, told

    claim = Claim(Path(root))
    with claim.logged("export-model"):
        folder, difference = ship(claim, run, name, tolerance, limit)
    shutil.copytree(folder, model.path, dirs_exist_ok=True)
    model.metadata.update({"run": run, "difference": asdict(difference)})
    Path(check.path).write_text(told(difference, tolerance), encoding="utf-8")
    return str(folder)


@_component
def publish_model(root: str, models: str, run: str, told: str, mean: float, model: Input[Model]) -> str:
    """Put the artefact on the shelf and return its version."""
    from pathlib import Path

    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.shelf import open_shelf

    claim = Claim(Path(root))
    with claim.logged("publish-model"):
        shelf = open_shelf(models or str(claim.models))
        notes = {"run": run, "gate": told, "mean_of_tasks": mean}
        return shelf.publish(Path(model.path), notes)


@_component
def roll_out_model(
    root: str,
    models: str,
    version: str,
    targets: str,
    namespace: str,
    timeout_minutes: float,
    told: Output[Markdown],
) -> str:
    """Let the targets take the version, or roll back; then note it as the one in service."""
    from pathlib import Path

    from trendlark.training.steps import rollout
    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.shelf import open_shelf

    claim = Claim(Path(root))
    with claim.logged("roll-out-model"):
        outcome = rollout.put_in_service(
            open_shelf(models or str(claim.models)), version, targets, namespace, 60 * timeout_minutes
        )
    Path(told.path).write_text(f"# {outcome}\n", encoding="utf-8")
    return outcome


@_component
def keep_service(root: str, run: str, reasons: str, told: Output[Markdown]) -> str:
    """The other branch: the model in service stays, and the log says why."""
    import logging
    from pathlib import Path

    from trendlark.training.steps.claim import Claim

    outcome = f"held back {run}: {reasons}"
    with Claim(Path(root)).logged("keep-service"):
        logging.getLogger("trendlark.training").info(outcome)
    Path(told.path).write_text(f"# {outcome}\n", encoding="utf-8")
    return outcome


@_component
def list_days(root: str, lake: str, models: str, model: str, first_day: str, last_day: str) -> list:  # type: ignore[type-arg]
    """The days that hold hours, each with the one model for all: another may be put in service meanwhile."""
    from pathlib import Path

    from trendlark.lake import open_lake
    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.past import days_of
    from trendlark.training.steps.shelf import in_service, open_shelf

    claim = Claim(Path(root))
    with claim.logged("list-days"):
        address = in_service(open_shelf(models or str(claim.models)), model)
        return [{"day": day, "model": address} for day in days_of(open_lake(lake), first_day, last_day)]


@_component
def analyze_day(root: str, lake: str, again: dict, threads: int) -> dict:  # type: ignore[type-arg]
    """Analyse the hours of a day again."""
    from pathlib import Path

    from trendlark.lake import open_lake
    from trendlark.nlu.analyzer import load
    from trendlark.training.steps.claim import Claim
    from trendlark.training.steps.past import analyze_day_again

    claim = Claim(Path(root))
    with claim.logged("analyze-day"):
        engine = load(again["model"], threads)
        try:
            return analyze_day_again(open_lake(lake), engine, again["day"]).to_dict()
        finally:
            engine.close()


@_component
def tell_days(days: list, told: Output[Markdown]) -> str:  # type: ignore[type-arg]
    """Tell what was done, day by day."""
    from pathlib import Path

    from trendlark.training.steps import past

    text = past.told(days)
    Path(told.path).write_text(text, encoding="utf-8")
    # kfp hands whole numbers in lists and maps over as floats.
    return f"{sum(int(one['analyses']) for one in days)} tweets of {len(days)} days were analysed again"

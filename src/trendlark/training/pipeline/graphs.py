"""The two pipelines: train, judge and ship a model; analyse past hours again with it.

What differs between clusters (``Site``) is written into a pipeline when it is made; kfp would also take resources
as parameters of a run, but a run on one machine does not find them then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp import dsl, kubernetes

from trendlark.errors import InputError
from trendlark.training.pipeline import components as steps

MOUNT = "/data"
ROOT = f"{MOUNT}/training"
_LAKE = f"{MOUNT}/lake"
_GPU = "nvidia.com/gpu"
_USER = 10001
# Most models that are trained, and days that are analysed, at the same time.
_MODELS_AT_ONCE, _DAYS_AT_ONCE = 2, 4


@dataclass(frozen=True, slots=True)
class Site:
    """What differs between clusters: image and claim of all steps; CPUs, memory, GPUs and nodes of training.

    ``retries`` are for pods that nodes lose; on one machine a step that failed would only be waited for. Without
    ``caching`` every step is done; kfp's own switch leaves out what is in loops and branches.
    """

    image: str = steps.IMAGE
    claim: str = "trendlark-lake"
    cpu: str = "2"
    memory: str = "6Gi"
    gpus: int = 0
    node_selector: Mapping[str, str] = field(default_factory=dict)
    retries: bool = True
    caching: bool = True


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a step asks of the cluster; a pod that runs longer than ``hours`` is ended, and tried again."""

    cpu: str
    memory: str
    hours: float
    tries: int = 2


_LIGHT = _Needs("500m", "1Gi", 1)
_READING = _Needs("1", "4Gi", 2)
_SCORING = _Needs("2", "4Gi", 6)
_DAY = _Needs("1", "1Gi", 12, tries=5)
# What was half rolled out is rolled back and told; trying again is for a person to decide. The step ends by itself when
# the targets' time is up: a pod that is ended before could roll nothing back.
_ROLLING = _Needs("250m", "512Mi", 24, tries=0)


def _place(task: dsl.PipelineTask, site: Site, needs: _Needs, *, cached: bool = True) -> dsl.PipelineTask:
    """Give a step its image, claim, resources, tries and time."""
    task.set_container_image(site.image)
    kubernetes.mount_pvc(task, pvc_name=site.claim, mount_path=MOUNT)
    # The user of our image, for whom the files on the claim are.
    kubernetes.set_security_context(task, run_as_user=_USER, run_as_group=_USER, run_as_non_root=True)
    kubernetes.set_timeout(task, seconds=int(3600 * needs.hours))
    task.set_cpu_request(needs.cpu).set_cpu_limit(needs.cpu)
    task.set_memory_request(needs.memory).set_memory_limit(needs.memory)
    if needs.tries and site.retries:
        task.set_retry(needs.tries, backoff_duration="30s", backoff_factor=2.0, backoff_max_duration="600s")
    return task.set_caching_options(enable_caching=cached and site.caching)


def _place_training(task: dsl.PipelineTask, site: Site) -> dsl.PipelineTask:
    # A killed pod goes on from the last checkpoint, so tries are cheap.
    _place(task, site, _Needs(site.cpu, site.memory, 48, tries=5))
    if site.gpus:
        task.set_accelerator_type(_GPU).set_accelerator_limit(site.gpus)
    for label, value in site.node_selector.items():
        kubernetes.add_node_selector(task, label_key=label, label_value=value)
        # Nodes that are there for training only bear their label as a taint, too.
        kubernetes.add_toleration(task, key=label, operator="Exists", effect="NoSchedule")
    return task


def train_pipeline(site: Site) -> Any:
    """Prepare data, report, train, evaluate, gate, and then export, publish and roll out, or keep what serves."""

    @dsl.pipeline(name="trendlark-train", description=train_pipeline.__doc__)
    def pipeline(
        data: str,
        root: str = ROOT,
        models: str = "",
        recipe: str = "default",
        base: str = "",
        seeds: list = [0],  # type: ignore[type-arg]  # noqa: B006 - kfp wants the value
        epochs: float = 0.0,
        steps_of_training: int = 0,
        minutes: float = 0.0,
        limit: int = 0,
        service: str = "current",
        mean_gain: float = 0.0,
        task_loss: float = 1.0,
        language_loss: float = 3.0,
        name: str = "trendlark",
        tolerance: float = 0.01,
        targets: str = "",
        namespace: str = "trendlark",
        rollout_minutes: float = 10.0,
    ) -> str:
        taken = _place(steps.prepare_data(root=root, source=data), site, _READING, cached=False)
        digest = taken.outputs["Output"]
        _place(steps.report_data(root=root, digest=digest), site, _READING)
        serving = _judge_service(site, root, digest, models, service, limit)
        wanted = steps.plan_runs(
            digest=digest,
            recipe=recipe,
            base=base,
            seeds=seeds,
            steps=steps_of_training,
            minutes=minutes,
            epochs=epochs,
        )
        # Another recipe or checkpoint may lie where the one of the last run did.
        plans = _place(wanted, site, _LIGHT, cached=False).output
        with dsl.ParallelFor(plans, parallelism=_MODELS_AT_ONCE) as plan:
            run = _place_training(steps.train_model(root=root, plan=plan), site).output
            scored = _place(steps.evaluate_model(root=root, run=run, limit=limit), site, _SCORING)
        found = dsl.Collected(scored.outputs["Output"])
        gate = _weigh(site, found, serving, mean_gain, task_loss, language_loss)
        with dsl.If(gate["verdict"] == "passed", name="passed"):
            version = _ship(site, gate, root, name, tolerance, limit, models)
            rolled = _roll_out(site, root, models, version, targets, namespace, rollout_minutes)
        with dsl.Else(name="held"):
            keep = steps.keep_service(root=root, run=gate["run"], reasons=gate["told"])
            kept = _place(keep, site, _LIGHT, cached=False)
        return dsl.OneOf(rolled.outputs["Output"], kept.outputs["Output"])  # type: ignore[no-any-return]

    return pipeline


def _judge_service(site: Site, root: Any, digest: Any, models: Any, service: Any, limit: Any) -> Any:
    find = steps.find_service(root=root, models=models, service=service)
    found = _place(find, site, _LIGHT, cached=False).outputs
    score = steps.evaluate_service(
        root=root, digest=digest, address=found["address"], name=found["name"], limit=limit
    )
    return _place(score, site, _SCORING).output


def _weigh(site: Site, found: Any, serving: Any, mean: Any, task: Any, language: Any) -> Any:
    weigh = steps.gate_model(
        evaluations=found, service=serving, mean_gain=mean, task_loss=task, language_loss=language
    )
    return _place(weigh, site, _LIGHT).outputs


def _roll_out(
    site: Site, root: Any, models: Any, version: Any, targets: Any, namespace: Any, minutes: Any
) -> dsl.PipelineTask:
    roll = steps.roll_out_model(
        root=root,
        models=models,
        version=version,
        targets=targets,
        namespace=namespace,
        timeout_minutes=minutes,
    )
    return _place(roll, site, _ROLLING, cached=False)


def _ship(site: Site, gate: Any, root: Any, name: Any, tolerance: Any, limit: Any, models: Any) -> Any:
    export = steps.export_model(root=root, run=gate["run"], name=name, tolerance=tolerance, limit=limit)
    exported = _place(export, site, _SCORING)
    publish = steps.publish_model(
        root=root,
        models=models,
        run=gate["run"],
        told=gate["told"],
        mean=gate["mean"],
        model=exported.outputs["model"],
    )
    return _place(publish, site, _LIGHT, cached=False).output


def reanalyze_pipeline(site: Site) -> Any:
    """Analyse the hours of past days again with another model, several days at once."""

    @dsl.pipeline(name="trendlark-reanalyze", description=reanalyze_pipeline.__doc__)
    def pipeline(
        first_day: str,
        last_day: str,
        lake: str = _LAKE,
        root: str = ROOT,
        models: str = "",
        model: str = "current",
        threads: int = 1,
    ) -> str:
        find = steps.list_days(
            root=root, lake=lake, models=models, model=model, first_day=first_day, last_day=last_day
        )
        days = _place(find, site, _LIGHT, cached=False)
        with dsl.ParallelFor(days.output, parallelism=_DAYS_AT_ONCE) as again:
            analyze = steps.analyze_day(root=root, lake=lake, again=again, threads=threads)
            done = _place(analyze, site, _DAY, cached=False)
        told = _place(steps.tell_days(days=dsl.Collected(done.output)), site, _LIGHT, cached=False)
        outcome: str = told.outputs["Output"]
        return outcome

    return pipeline


_PIPELINES = {"train": train_pipeline, "reanalyze": reanalyze_pipeline}


def make_pipeline(name: str, site: Site) -> Any:
    """Return the pipeline ``train`` or ``reanalyze`` for a site, as kfp's component; raises InputError."""
    if name not in _PIPELINES:
        raise InputError(f"Found no pipeline {name!r}; there are {', '.join(_PIPELINES)}. Choose one.")
    return _PIPELINES[name](site)

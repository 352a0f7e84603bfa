"""Schemas of the operators' kinds, strict, as far as our manifests use them; written from the operators' references.

A field that is not here is a typing error or something new to look up: InferenceService v1beta1 of KServe 0.16,
ScaledObject v1alpha1 of KEDA, and monitoring.coreos.com/v1 of the Prometheus operator.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
SPAN: Schema = {"type": "string", "pattern": r"^(\d+(ms|s|m|h))+$"}
NAMES: Schema = {"type": "object", "additionalProperties": TEXT}


def form(required: dict[str, Schema], **others: Schema) -> Schema:
    """An object with these fields and no other."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": required | others,
        "additionalProperties": False,
    }


def many(of: Schema) -> Schema:
    """A list with at least one of these."""
    return {"type": "array", "minItems": 1, "items": of}


def kind(version: str, name: str, spec: Schema) -> Schema:
    """A manifest of this kind."""
    metadata = form({"name": TEXT, "namespace": TEXT}, labels=NAMES, annotations=NAMES)
    head: dict[str, Schema] = {"apiVersion": {"const": version}, "kind": {"const": name}}
    return form(head | {"metadata": metadata, "spec": spec})


_SELECTOR = form({"matchLabels": NAMES})
_KEY = form({"name": TEXT, "key": TEXT})
_ENDPOINT = form(
    {"port": TEXT, "path": {"const": "/metrics"}},
    interval=SPAN,
    scrapeTimeout=SPAN,
    authorization=form({"credentials": _KEY}, type={"const": "Bearer"}),
)
_ALERT = form(
    {"alert": TEXT, "expr": TEXT, "labels": NAMES, "annotations": form({"summary": TEXT})}, **{"for": SPAN}
)
# What an InferenceService takes besides the fields of a pod.
PREDICTOR: dict[str, Schema] = {
    "labels": NAMES,
    "minReplicas": COUNT,
    "maxReplicas": COUNT,
    "scaleMetric": {"enum": ["cpu", "memory", "concurrency", "rps"]},
    # KServe's webhook refuses more than 100 % of CPU or memory.
    "scaleTarget": {"type": "integer", "minimum": 1, "maximum": 100},
    "deploymentStrategy": {"type": "object"},
}

KINDS: dict[str, Schema] = {
    "InferenceService": kind(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        # The pod's fields are held against Kubernetes' own schema.
        form({"predictor": {"type": "object", "required": ["containers"], "properties": PREDICTOR}}),
    ),
    "ScaledObject": kind(
        "keda.sh/v1alpha1",
        "ScaledObject",
        form(
            {
                "scaleTargetRef": form({"name": TEXT}, apiVersion=TEXT, kind=TEXT),
                "triggers": many(
                    form(
                        {
                            "type": {"const": "prometheus"},
                            "metadata": form(
                                {"serverAddress": TEXT, "query": TEXT, "threshold": TEXT},
                                ignoreNullValues={"enum": ["true", "false"]},
                            ),
                        },
                        metricType={"enum": ["AverageValue", "Value"]},
                    )
                ),
            },
            minReplicaCount=COUNT,
            maxReplicaCount=COUNT,
            pollingInterval=COUNT,
            fallback=form({"failureThreshold": COUNT, "replicas": COUNT}),
            advanced=form({"horizontalPodAutoscalerConfig": form({"behavior": {"type": "object"}})}),
        ),
    ),
    "ServiceMonitor": kind(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        form({"selector": _SELECTOR, "endpoints": many(_ENDPOINT)}),
    ),
    "PodMonitor": kind(
        "monitoring.coreos.com/v1",
        "PodMonitor",
        form({"selector": _SELECTOR, "podMetricsEndpoints": many(_ENDPOINT)}),
    ),
    "PrometheusRule": kind(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        form({"groups": many(form({"name": TEXT, "rules": many(_ALERT)}))}),
    ),
}

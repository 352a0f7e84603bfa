"""Spans of requests and of analyses for OpenTelemetry, where a collector is set; needs the extra ``[otel]``.

Spans hold what the log holds: route, method, status, request id, number of texts; no address, no text, no token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from trendlark import __version__
from trendlark.errors import MissingExtraError

if TYPE_CHECKING:
    from opentelemetry.trace import Span

Spans = Callable[..., AbstractContextManager[Any]]


def no_spans(name: str, **attributes: Any) -> AbstractContextManager[None]:
    """Where no collector is set."""
    del name, attributes
    return nullcontext()


def spans_to(endpoint: str | None) -> Spans:
    """Makes spans that are sent to a collector by OTLP over HTTP, in the background.

    ``parent`` may give the headers of a request, whose ``traceparent`` a span goes on from.
    """
    if endpoint is None:
        return no_spans
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )
    except ImportError as error:
        raise MissingExtraError(
            "Found otlp_endpoint set, but OpenTelemetry is not installed; `pip install 'trendlark[otel]'` brings it. "
            "Install it, or leave the setting out."
        ) from error
    # Our own provider, not the global one: FastAPI would send addresses and messages of errors to that.
    provider = TracerProvider(
        resource=Resource.create({"service.name": "trendlark", "service.version": __version__})
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    tracer, propagator = provider.get_tracer("trendlark"), TraceContextTextMapPropagator()

    @contextmanager
    def span(name: str, parent: dict[str, str] | None = None, **attributes: Any) -> Iterator[Span]:
        context = propagator.extract(parent) if parent is not None else None
        with tracer.start_as_current_span(
            name, context, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as found:
            yield found

    return span

"""What the page of the state of things says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "status_title": Message("How things stand", "Cómo van las cosas"),
    "status_now": Message("As of {moment}", "Situación del {moment}"),
    "status_newest": Message("Newest hour summed up", "Última hora resumida"),
    "status_none": Message("none yet", "ninguna aún"),
    "status_lag": Message("Behind", "Retraso"),
    "status_lag_none": Message("up to date", "al día"),
    "status_lag_one": Message("1 hour", "1 hora"),
    "status_lag_hours": Message("{n} hours", "{n} horas"),
    "status_spent": Message("Spent today on {source}", "Gastado hoy en {source}"),
    "status_spent_of": Message("of {budget} a day", "de {budget} al día"),
    "status_model": Message("Model", "Modelo"),
    "status_model_ready": Message("ready", "listo"),
    "status_model_not": Message("not ready: {why}", "no está listo: {why}"),
    "status_size": Message("Lake", "Lago de datos"),
    "status_failures": Message("Failures that no later run has mended", "Fallos sin arreglar todavía"),
    "status_no_failures": Message("None in the last seven days.", "Ninguno en los últimos siete días."),
    "status_runs": Message("Last runs", "Últimas ejecuciones"),
    "status_no_runs": Message(
        "No job ran in the last seven days; `trendlark up` or `trendlark run-hour` makes the first run.",
        "No se ha ejecutado nada en los últimos siete días; `trendlark up` o `trendlark run-hour` hace la primera.",
    ),
    "status_started": Message("Started", "Inicio"),
    "status_job": Message("Job", "Trabajo"),
    "status_of_hour": Message("Of hour", "De la hora"),
    "status_place": Message("Place", "Lugar"),
    "status_result": Message("Result", "Resultado"),
    "status_seconds": Message("Seconds", "Segundos"),
    "status_requests": Message("Requests", "Peticiones"),
    "status_cost": Message("Cost", "Coste"),
    "status_refused": Message("{n} refused", "{n} rechazados"),
    "status_refused_one": Message("1 refused", "1 rechazado"),
    "status_done": Message("done", "hecho"),
    "status_failed": Message("failed", "falló"),
    "status_collect": Message("collect", "recoger"),
    "status_analyze": Message("analyse", "analizar"),
    "status_summarise": Message("sum up", "resumir"),
    "status_days": Message("The last seven days", "Los últimos siete días"),
    "status_day": Message("Day (UTC)", "Día (UTC)"),
    "status_day_runs": Message("Runs", "Ejecuciones"),
    "status_day_failed": Message("Failed", "Fallidas"),
    "status_tables": Message("Tables of the lake", "Tablas del lago de datos"),
    "status_table": Message("Table", "Tabla"),
    "status_rows": Message("Rows", "Filas"),
    "status_files": Message("Files", "Ficheros"),
    "status_bytes": Message("Size", "Tamaño"),
    "status_span": Message("From – to", "Desde – hasta"),
    "status_schema": Message("Form of the tables", "Forma de las tablas"),
    "status_versions": Message("Versions", "Versiones"),
}  # fmt: skip

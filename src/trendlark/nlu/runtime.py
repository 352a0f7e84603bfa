"""ONNX Runtime, told to keep to itself before it wakes.

Its builds for Linux carry telemetry: an address to report to, and an identifier of the machine written under
``~/.cache/Microsoft``. No request leaves the machine unasked, so this is the one place that imports it.
"""

from __future__ import annotations

import os

# It is read once, when the library is loaded; whoever wants the telemetry sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as states

__all__ = ["onnxruntime", "states"]

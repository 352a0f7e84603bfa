"""How good a model is: scores of benchmarks with intervals, slices, rivals, robustness, calibration."""

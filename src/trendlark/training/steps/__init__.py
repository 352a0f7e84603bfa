"""The steps of the training pipeline as plain functions over folders: what a pod does, without Kubeflow.

    prepare -> report -> train (one for each seed) -> evaluate -> choose -> gate -> export -> publish -> roll out

Each step may be killed at any point and run again: what it finished before is found by its content, and what
was half written is not there at all. All of it lies on one claim, see ``claim.py``.
"""

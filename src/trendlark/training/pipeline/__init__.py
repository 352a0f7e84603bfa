"""The training pipeline for Kubeflow Pipelines (extra ``[pipeline]``): components, graphs, and how they are run."""

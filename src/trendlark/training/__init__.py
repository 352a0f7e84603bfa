"""Training, evaluating and exporting the model; needs the extra ``trendlark[train]``."""

"""A behavioural test suite, written for this project: what anybody would expect of a model, case by case."""

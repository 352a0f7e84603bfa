"""Dockerfile, compose files and manifests: read, compared, and held against the command line."""

"""Fenzhen 分诊: triage for what buyers write to Chinese online shops."""

__version__ = "0.1.0"

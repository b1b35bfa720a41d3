"""Incremental builds of narrated slide movies."""

__version__ = "0.1.0"

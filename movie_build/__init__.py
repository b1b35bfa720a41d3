"""Incremental builds of narrated slide movies."""

"""Slides: what a section shows in, a PNG out."""

"""Voices: a narration line in, sound out."""

"""Authors: an article in, a script out."""

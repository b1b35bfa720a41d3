"""The names that `limits` in movie.yaml may hold: what the services are called that are asked."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from urllib.parse import urlsplit

from movie_build import plug_ins
from movie_build.errors import nearest

# `web` is pages and pictures, `voicevox` all engines that speak its protocol.
SERVICES = ("openai", "openrouter", "voicevox", "web")
_PLUG_INS = (plug_ins.VOICES, plug_ins.AUTHORS, plug_ins.SLIDES)
# Services that go by a name, not by their host's.
_NAMED_HOSTS = {"api.openai.com": "openai", "openrouter.ai": "openrouter"}


def trouble(name: str, named: Collection[str], urls: Iterable[str]) -> str:
    """Why no service is called `name`, and which one may be meant; empty where one is.

    `named` are the engines, authors, makers and providers of the movie, and `urls` the
    addresses it gives. An address may also come from the environment, which differs from
    machine to machine: so a host that is none of these is let pass, unless it resembles one.
    """
    from movie_build.voices.registry import ALIASES, ENGINES

    hosts = {_host(url) for url in (*urls, os.environ.get("OPENAI_BASE_URL", ""))} - {""}
    asks_none = {*ENGINES, *ALIASES, "outline", "llm"}
    known = {*SERVICES, *(set(named) - asks_none), *hosts.difference(_NAMED_HOSTS)} - {""}
    if name in known or name == "localhost":
        return ""
    named_hosts = (s for host, s in _NAMED_HOSTS.items() if f".{name}".endswith(f".{host}"))
    meant = ALIASES.get(name) or next(named_hosts, "")
    if not meant and "." in name and not get_close_matches(name, hosts, cutoff=0.8):
        return ""
    # Looking for packages takes a while: last.
    installed = {name for group in _PLUG_INS for name in plug_ins.installed(group)}
    if name in installed:
        return ""
    hint = f"write {meant!r}" if meant else nearest(name, known | installed)
    return f"no service that is asked is called {name!r}; {hint}"


def _host(url: str) -> str:
    try:
        return (urlsplit(url.strip()).hostname or "").lower()
    except ValueError:
        return ""

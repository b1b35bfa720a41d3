"""Which service is asked, and which environment variable holds its key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from movie_build.authors.llm_settings import LlmSettings
from movie_build.errors import AuthorError, nearest
from movie_build.openai_client import (
    OPENAI_URL,
    OPENROUTER_URL,
    PROVIDERS,
    is_openrouter,
    service_name,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service's address and the variable of its key; `name` is what its limits are set under."""

    name: str
    url: str
    key_env: str


def endpoint(settings: LlmSettings, environment: Mapping[str, str] = os.environ) -> Endpoint:
    """The service that `settings` name, else one that the environment has a key or address of.

    A key goes only to its own service: `OPENROUTER_API_KEY` to openrouter.ai,
    `OPENAI_API_KEY` to any other.

    Raises:
        AuthorError: no service is named, or one that is not known.
    """
    url, provider = settings.base_url.strip(), settings.provider.strip().lower()
    if provider and provider not in PROVIDERS and not url:
        raise AuthorError(
            f"no provider named {provider!r} is known; {nearest(provider, PROVIDERS)} "
            "For any other, give its address as base_url"
        )
    own = environment.get("OPENAI_BASE_URL", "").strip()
    if not url and provider == "openrouter":
        url = OPENROUTER_URL
    elif not url and (provider or own or environment.get("OPENAI_API_KEY", "").strip()):
        url = own or OPENAI_URL
    elif not url and environment.get("OPENROUTER_API_KEY", "").strip():
        url = OPENROUTER_URL
    if not url:
        raise AuthorError(
            "no service to ask: set OPENROUTER_API_KEY or OPENAI_API_KEY, or give the address of a "
            "server of your own as base_url"
        )
    key_env = "OPENROUTER_API_KEY" if is_openrouter(url) else "OPENAI_API_KEY"
    return Endpoint(service_name(url, provider), url, key_env)

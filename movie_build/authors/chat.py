"""One request to a model, its answer, and what it used, whatever form the service takes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from movie_build import interrupt
from movie_build.authors import tokens
from movie_build.authors.endpoint import endpoint
from movie_build.authors.kept import KeptAnswer, KeptAnswers
from movie_build.authors.llm_settings import LlmSettings
from movie_build.errors import AuthorError
from movie_build.ledger import NOTHING, Use
from movie_build.openai_client import make_client, needs_key, shown_url, translated
from movie_build.service import Retry, Service, may_pass

if TYPE_CHECKING:
    import openai

# How an answer's form can be asked for, the strictest first; services refuse what they lack.
_FORMS = ("json_schema", "json_object", "text")
_REFUSES_FORM = (400, 404, 415, 422, 501)
_TOO_LONG = (
    "context_length", "context length", "context window", "context size", "maximum context",
    "too many tokens", "prompt is too long", "input is too long", "n_ctx", "reduce the length",
)  # fmt: skip


# Shorter keys, such as "lm-studio", are no secrets, and may be words of the article.
_SECRET_MIN_CHARS = 16


class TooLong(Exception):
    """The service cannot take in a request of this length."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn; `role` is system, user or assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said. `kept` is the file that holds it."""

    text: str
    finish: str
    refusal: str
    called_tools: bool
    tokens_in: int
    kept: Path | None

    @property
    def cut_off(self) -> bool:
        """Whether the answer ends at the length limit instead of its end."""
        return self.finish in ("length", "max_tokens", "MAX_TOKENS")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


def _content(value: object) -> object:
    """A message's text; some services give it in parts, of which the thoughts are none."""
    if isinstance(value, list):
        parts = [p for p in value if isinstance(p, dict) and p.get("type", "text") == "text"]
        return "".join(str(part.get("text") or "") for part in parts)
    return "" if value is None else value


def _count(value: object) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    return value if is_count and isinstance(value, int) else 0


def _usd(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


class _Said(_Lenient):
    content: Annotated[str, BeforeValidator(_content)] = ""
    refusal: str | None = None
    tool_calls: Any = None


class _Choice(_Lenient):
    message: _Said = _Said()
    finish_reason: str | None = None


class _Usage(_Lenient):
    prompt_tokens: Annotated[int, BeforeValidator(_count)] = 0
    completion_tokens: Annotated[int, BeforeValidator(_count)] = 0
    cost: Annotated[float | None, BeforeValidator(_usd)] = None


class _Body(_Lenient):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class Chat:
    """Asks one model through `service`, which is shared by the run."""

    def __init__(self, settings: LlmSettings, service: Service) -> None:
        if not settings.model.strip():
            raise AuthorError(
                "no model is named: write its name as content.llm.model in movie.yaml"
            )
        self.settings = settings
        self.endpoint = endpoint(settings)
        self.kept = KeptAnswers(settings.keep, again=settings.again)
        self._service = service
        self._form = 0
        self._dearest_usd = 0.0

    @property
    def place(self) -> str:
        """The model and where it is, for messages."""
        return f"{self.settings.model} at {shown_url(self.endpoint.url)}"

    @cached_property
    def _client(self) -> openai.OpenAI:
        timeout_s = self.settings.timeout_s
        # An answer comes in one piece at its end, so being idle is no sign.
        return make_client(
            api_key_env=self.endpoint.key_env,
            base_url=self.endpoint.url,
            timeout_s=timeout_s,
            idle_s=timeout_s,
            error=AuthorError,
        )

    def loosen(self) -> None:
        """Ask for the form less strictly: some services give nothing where it is too strict."""
        self._form = min(self._form + 1, len(_FORMS) - 1)

    def ask(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any],
        part: str,
        expected_tokens: int,
        n_repair: int = 0,
    ) -> Reply:
        """The model's reply, from an earlier run if it was kept. About `expected_tokens` may come.

        `n_repair` tells a question from the same one asked again.

        Raises:
            TooLong: the request is beyond the model's window.
            AuthorError: the service refuses, or cannot be reached.
            BudgetError: it could cost more than what is left.
        """
        path = self.kept.path(self._question(messages, n_repair), part)
        known = self.kept.get(path)
        if known is None:
            known = self._paid(messages, schema, part, expected_tokens, path)
        body = _body(known.body)
        assert body.choices
        choice = body.choices[0]
        return Reply(
            # A lone surrogate could be neither sent back nor written.
            text=choice.message.content.encode("utf-8", "replace").decode(),
            finish=choice.finish_reason or "",
            refusal=choice.message.refusal or "",
            called_tools=bool(choice.message.tool_calls),
            tokens_in=body.usage.prompt_tokens if body.usage else 0,
            kept=path,
        )

    def _question(self, messages: Sequence[Message], n_repair: int) -> dict[str, object]:
        settings = self.settings
        return {
            "n_repair": n_repair,
            "url": shown_url(self.endpoint.url),
            "model": settings.model,
            "messages": [asdict(message) for message in messages],
            "temperature": settings.temperature,
            "max_output_tokens": settings.max_output_tokens,
        }

    def _paid(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any],
        part: str,
        expected_tokens: int,
        path: Path | None,
    ) -> KeptAnswer:
        sent_tokens = sum(tokens.at_most(message.text) for message in messages)
        usd = self._price(sent_tokens, self.settings.max_output_tokens or expected_tokens)
        estimate = self._service.estimate(
            usd if self._priced else None, self.settings.model, "tokens_in: …, tokens_out"
        )
        turns: list[dict[str, str]] = [{"role": m.role, "content": m.text} for m in messages]

        def attempt() -> tuple[KeptAnswer | None, Use]:
            usd = max(estimate, self._dearest_usd)
            raw = self._raw(turns, schema, Use(tokens_in=sent_tokens, usd=usd))
            if raw is None:
                return None, NOTHING
            use = self._use(_body(raw), turns)
            answer = KeptAnswer(
                part=part,
                endpoint=shown_url(self.endpoint.url),
                model=self.settings.model,
                tokens_in=use.tokens_in,
                tokens_out=use.tokens_out,
                usd=use.usd,
                messages=turns,
                body=raw,
            )
            # Kept before it is counted: killed in between, it is not paid for again.
            self.kept.put(path, answer)
            return answer, use

        answer = None
        while answer is None:
            with interrupt.asking():
                answer = self._service.call(
                    attempt, AuthorError, estimate_usd=max(estimate, self._dearest_usd)
                )
        self._dearest_usd = max(self._dearest_usd, answer.usd)
        return answer

    def _raw(self, turns: list[dict[str, str]], schema: dict[str, Any], most: Use) -> str | None:
        """The answer's JSON, without the key; None where only the form was refused.

        `most` is what an answer costs that is none.
        """
        import openai

        client, settings = self._client, self.settings
        asked: dict[str, Any] = {"model": settings.model, "messages": turns}
        if settings.temperature is not None:
            asked["temperature"] = settings.temperature
        if settings.max_output_tokens is not None:
            # OpenAI's newer models refuse the older name, and most others know no other.
            newer = self.endpoint.name == "openai"
            name = "max_completion_tokens" if newer else "max_tokens"
            asked[name] = settings.max_output_tokens
        asked |= _format(_FORMS[self._form], schema)
        with translated(client, AuthorError, most):
            try:
                answer = client.chat.completions.with_raw_response.create(**asked)
            except openai.APIStatusError as failure:
                if any(sign in str(failure.body).lower() for sign in _TOO_LONG) and (
                    failure.status_code in (400, 413, 422, 500)
                ):
                    raise TooLong from None
                if failure.status_code in _REFUSES_FORM and self._form < len(_FORMS) - 1:
                    self.loosen()
                    return None
                raise
            raw = answer.http_response.text
            if len(client.api_key) >= _SECRET_MIN_CHARS:
                raw = raw.replace(client.api_key, "***")
            body = _body(raw, most.spoilt())
        used = self._use(body, turns).spoilt() if body.usage else most.spoilt()
        # Where the service itself says that it failed, and nothing of a price, it charges none.
        self._check(body, NOTHING if body.error and not body.usage else used)
        return raw

    @staticmethod
    def _check(body: _Body, used: Use) -> None:
        """See that there is an answer: some gateways tell of failures with status 200."""
        error = body.error if isinstance(body.error, dict) else {"message": body.error}
        if body.choices and body.choices[0].finish_reason != "error":
            return
        said = " ".join(str(error.get("message") or "the answer holds no message").split())[:300]
        code = error.get("code")
        if isinstance(code, int) and 400 <= code < 600 and not may_pass(code):
            raise AuthorError(f"the service refuses: {said}")
        raise Retry(said, used=used)

    def _use(self, body: _Body, turns: list[dict[str, str]]) -> Use:
        usage = body.usage or _Usage()
        said = body.choices[0].message.content if body.choices else ""
        # A service that does not count is counted for, so that money is not lost sight of.
        tokens_in = usage.prompt_tokens or sum(tokens.at_most(turn["content"]) for turn in turns)
        tokens_out = usage.completion_tokens or tokens.at_most(said)
        usd = usage.cost if usage.cost is not None else self._price(tokens_in, tokens_out)
        n_chars = sum(len(turn["content"]) for turn in turns)
        return Use(characters=n_chars, tokens_in=tokens_in, tokens_out=tokens_out, usd=usd)

    def _price(self, tokens_in: int, tokens_out: int) -> float:
        settings = self.settings
        millionths = tokens_in * (settings.usd_per_million_in or 0.0)
        millionths += tokens_out * (settings.usd_per_million_out or 0.0)
        return millionths / 1_000_000

    @property
    def _priced(self) -> bool:
        """Whether what a call costs is known, before it or from its answer, or it is free."""
        prices = (self.settings.usd_per_million_in, self.settings.usd_per_million_out)
        known = any(price is not None for price in prices)
        return known or self.endpoint.name == "openrouter" or not needs_key(self.endpoint.url)


def _body(raw: str, used: Use = NOTHING) -> _Body:
    try:
        return _Body.model_validate(json.loads(raw))
    except ValueError:
        raise Retry("the answer is not what a chat service answers", used=used) from None


def _format(form: str, schema: dict[str, Any]) -> dict[str, Any]:
    if form == "json_schema":
        named = {"name": "script", "strict": True, "schema": schema}
        return {"response_format": {"type": form, "json_schema": named}}
    return {"response_format": {"type": form}} if form == "json_object" else {}

"""Pictures from prompts: by OpenAI's images, its imitators, and chat models that draw."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from movie_build.errors import SlideError, nearest
from movie_build.ledger import NOTHING, Use
from movie_build.look import Look, Slide
from movie_build.openai_client import (
    OPENAI_URL,
    OPENROUTER_URL,
    is_openrouter,
    make_client,
    needs_key,
    translated,
    usual_url,
    without_key,
)
from movie_build.service import Retry, Service, may_pass
from movie_build.slides import ai_answer, ai_download
from movie_build.slides.ai_owed import Owed
from movie_build.slides.ai_size import aspect_for, size_for

if TYPE_CHECKING:
    import openai

Api: TypeAlias = Literal["images", "chat"]

VERSION = 1

_REMEDY = "change the slide_prompt, or what `slides` in movie.yaml asks for"
_LARGEST_ANSWER = 128 << 20
_REFUSES_FORM = (400, 404, 415, 422)
_FORM_WORDS = ("modalit", "image_config", "extra", "unknown", "unrecognized")


class AiPictures:
    """Makes pictures with `model` at `base_url`; None is `$OPENAI_BASE_URL`, else OpenAI.

    `api` is how it is asked: `images` (`/v1/images/generations`) or `chat`
    (`/v1/chat/completions`, as at OpenRouter, whose usual one it is). `size`
    and `quality` are told as they are; without a size one is chosen for the
    movie's shape. `style` is added to every prompt. The addresses of pictures that
    are paid for and not fetched yet are kept in the folder `keep`.

    Raises:
        SlideError: a setting cannot be right.
    """

    def __init__(
        self,
        service: Service,
        *,
        model: str,
        base_url: str | None = None,
        api_key_env: str = "",
        api: str = "",
        style: str = "",
        size: str = "",
        quality: str = "",
        usd_per_image: float | None = None,
        timeout_s: float = 300.0,
        keep: Path | None = None,
    ) -> None:
        if not model.strip():
            raise SlideError(
                "no model is named for slide_prompt: write one as slides.llm.model in movie.yaml"
            )
        if api and api not in get_args(Api):
            raise SlideError(
                f"no way to ask for pictures is {api!r}; {nearest(api, get_args(Api))}"
            )
        self.model = model.strip()
        self._base_url = base_url
        of_router = is_openrouter(usual_url(base_url))
        self.api = api or ("chat" if of_router else "images")
        self.style = style.strip()
        self.size = size.strip()
        self.quality = quality.strip()
        self._service = service
        self._api_key_env = api_key_env or key_env(usual_url(base_url))
        # OpenRouter tells what each picture has cost.
        free = of_router or not needs_key(usual_url(base_url))
        self._usd = 0.0 if usd_per_image is None and free else usd_per_image
        self._timeout_s = timeout_s
        self._keep = keep
        self._made: openai.OpenAI | None = None
        self._lock = threading.Lock()
        self._form = 0

    def identity(self, slide: Slide, look: Look) -> Mapping[str, object]:
        """What is asked for; not of whom: a picture is the same behind a proxy, or on a laptop."""
        return {
            "maker": "ai",
            "version": VERSION,
            # Once the address asked. Where it was the usual one, what was paid for stays valid.
            "url": OPENROUTER_URL if self.api == "chat" else OPENAI_URL,
            "api": self.api,
            "model": self.model,
            "prompt": self._prompt(slide, look),
            "size": self._size(look),
            "quality": self.quality,
        }

    def files(self, slide: Slide, look: Look) -> tuple[Path, ...]:
        return ()

    def make(self, slide: Slide, look: Look) -> bytes:
        """The picture as the service gave it, decoded to its end and found to be one.

        Raises:
            SlideError: the key is missing or wrong, the service refuses the prompt, or gives
                no whole picture however often it is asked.
            BudgetError: it could cost more than what is left.
        """
        owed = Owed(self._keep, json.dumps(self.identity(slide, look), sort_keys=True))
        if (content := owed.fetched(self._fetched)) is not None:
            return content
        usd = self._service.estimate(self._usd, self.model, "image")
        client = self._client()
        found: bytes | str | SlideError | None = None
        while found is None:
            found = self._service.call(
                lambda: self._ask(client, slide, look), SlideError, estimate_usd=usd
            )
        if isinstance(found, SlideError):
            raise found
        if isinstance(found, bytes):
            owed.settle()
            return found
        return owed.fetch(found, self._fetched)

    def _ask(
        self, client: openai.OpenAI, slide: Slide, look: Look
    ) -> tuple[bytes | str | SlideError | None, Use]:
        """A picture, its address, or why there will be none, as words are charged for too.

        None where only the form of the question was refused.
        """
        prompt, size = self._prompt(slide, look), self._size(look)
        used = Use(characters=len(prompt), usd=self._usd or 0.0)
        with translated(client, SlideError, used, remedy=_REMEDY):
            body = (
                self._chat(client, prompt, size)
                if self.api == "chat"
                else self._images(client, prompt, size)
            )
        if body is None:
            return None, NOTHING
        try:
            answer = ai_answer.read(body)
        except ai_answer.Refused as refused:
            said = without_key(client, str(refused))
            spoilt = NOTHING if refused.is_error else _charged(used, refused.usage).spoilt()
            if refused.status and not may_pass(refused.status):
                told = f"{self._service.name}: the prompt is refused: {said}; {_REMEDY}"
                return SlideError(told), spoilt
            raise Retry(said, used=spoilt) from None
        use = replace(_charged(used, answer.usage), images=1)
        if isinstance(answer.picture, bytes):
            _check(answer.picture, use)
        return answer.picture, use

    def _images(self, client: openai.OpenAI, prompt: str, size: str) -> bytes:
        import openai

        # No response_format: newer models refuse it, and both kinds of answer are understood.
        with client.images.with_streaming_response.generate(
            model=self.model,
            prompt=prompt,
            size=size,
            quality=self.quality or openai.omit,  # type: ignore[arg-type]
        ) as response:
            return self._body(response.iter_bytes())

    def _chat(self, client: openai.OpenAI, prompt: str, size: str) -> bytes | None:
        import openai

        forms = _chat_forms(size)
        form = min(self._form, len(forms) - 1)
        try:
            with client.chat.completions.with_streaming_response.create(
                model=self.model,
                messages=[{"role": "user", "content": prompt}],
                extra_body=forms[form],
            ) as response:
                return self._body(response.iter_bytes())
        except openai.APIStatusError as failure:
            said = str(failure.body).lower()
            about_form = any(word in said for word in _FORM_WORDS)
            if failure.status_code in _REFUSES_FORM and about_form and form < len(forms) - 1:
                self._form = form + 1
                return None
            raise

    def _body(self, chunks: Any) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > _LARGEST_ANSWER:
                raise SlideError(f"{self._service.name} sends an answer without end")
        return bytes(body)

    def _fetched(self, url: str) -> bytes:
        # Paid for already: only the download is tried again.
        return self._service.call(lambda: (self._download(url), NOTHING), SlideError)

    def _download(self, url: str) -> bytes:
        service_url = usual_url(self._base_url)
        content = ai_download.picture_at(url, service_url=service_url, timeout_s=self._timeout_s)
        _check(content, NOTHING)
        return content

    def _prompt(self, slide: Slide, look: Look) -> str:
        prompt = slide.prompt.strip()
        if self.api == "chat":
            # Chat models have to be told that a picture is wanted, and of which shape.
            prompt = f"Make one picture, {aspect_for(look)}, for a slide:\n\n{prompt}"
        return f"{prompt}\n\nStyle: {self.style}" if self.style else prompt

    def _size(self, look: Look) -> str:
        """What is asked for: a size in pixels, or for chat models a shape, and a size if given."""
        if self.api == "chat":
            return f"{aspect_for(look)} {self.size}".strip()
        return self.size or size_for(self.model, look)

    def _client(self) -> openai.OpenAI:
        with self._lock:
            if self._made is None:
                self._made = make_client(
                    api_key_env=self._api_key_env,
                    base_url=self._base_url,
                    timeout_s=self._timeout_s,
                    # A picture comes in one piece at its end, so being idle is no sign.
                    idle_s=self._timeout_s,
                    error=SlideError,
                )
            return self._made


def key_env(url: str) -> str:
    """The variable of the key for a service: a key goes only to its own."""
    return "OPENROUTER_API_KEY" if is_openrouter(url) else "OPENAI_API_KEY"


def _chat_forms(size: str) -> list[dict[str, object]]:
    """How a chat model can be asked to draw, the fullest first: services refuse what they lack.

    Models that can only draw refuse to be asked for text too.
    """
    aspect, _, large = size.partition(" ")
    config = {"aspect_ratio": aspect} | ({"image_size": large} if large else {})
    return [
        {"modalities": ["image", "text"], "image_config": config},
        {"modalities": ["image"], "image_config": config},
        {"modalities": ["image", "text"]},
        {},
    ]


def _charged(used: Use, usage: ai_answer.Usage) -> Use:
    """What a call has used by the service's own word, where it says so."""
    told = replace(used, tokens_in=usage.tokens_in, tokens_out=usage.tokens_out)
    return told if usage.usd is None else replace(told, usd=usage.usd)


def _check(content: bytes, use: Use) -> None:
    try:
        ai_answer.check(content)
    except ai_answer.NoPicture as failure:
        raise Retry(f"the answer is no good: {failure}", used=use.spoilt()) from None

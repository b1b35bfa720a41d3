"""Pictures from prompts, over a real socket: every way to ask, to be answered, and to fail."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SMALL
from PIL import Image
from services.image_server import FAULTS, KEY, ImageServer, color_of, image_server, picture

from movie_build import browser, theme
from movie_build.errors import BudgetError, SlideError
from movie_build.ledger import Ledger
from movie_build.look import Look, Slide
from movie_build.openai_client import OPENAI_URL, service_name
from movie_build.service import Limits, Service
from movie_build.slides.ai import AiPictures, key_env
from movie_build.slides.ai_size import aspect_for, size_for
from movie_build.slides.registry import SlideMakers, with_picture

WIDE = Look(width_px=960, height_px=540, theme=theme.find("default", Path()))
TALL = replace(WIDE, width_px=540, height_px=960)
SLIDE = Slide("full", "", prompt="A hill at dawn")


@pytest.fixture(scope="module", autouse=True)
def _one_browser() -> Iterator[None]:
    yield
    browser.close_shared()


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with image_server() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def service(waits: list[float]) -> Service:
    return Service("openai", Limits(tries=3), sleep=waits.append)


def pictures(service: Service, server: ImageServer, **settings: Any) -> AiPictures:
    told = {"model": "gpt-image-1", "base_url": server.url, "timeout_s": 5.0, **settings}
    return AiPictures(service, **told)


def shown(content: bytes) -> tuple[int, int, int]:
    """The colour in the middle of a picture."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return found  # type: ignore[return-value]


def once(fault: str) -> Any:
    return lambda _prompt, nth: fault if nth == 1 else ""


# ---- asking and being answered


@pytest.mark.parametrize("reply", ["b64", "url"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_images_protocol_gives_the_prompts_picture(reply, kind, service, server):
    server.reply = reply
    server.draw = lambda prompt: picture(prompt, kind=kind)
    content = pictures(service, server).make(SLIDE, WIDE)
    assert content == picture(SLIDE.prompt, kind=kind)
    asked = server.asked[0]
    assert (asked["model"], asked["prompt"]) == ("gpt-image-1", SLIDE.prompt)
    assert asked["size"] == "1536x1024"
    assert "response_format" not in asked, "newer models refuse it"


@pytest.mark.parametrize("reply", ["images", "parts", "text"])
def test_a_chat_model_gives_its_picture_wherever_it_puts_it(reply, service, server):
    server.reply = reply
    maker = pictures(service, server, api="chat", model="google/gemini-3-image")
    content = maker.make(SLIDE, TALL)
    asked = server.asked[0]
    assert shown(content) == color_of(asked["messages"][0]["content"])
    assert asked["modalities"] == ["image", "text"]
    assert asked["image_config"] == {"aspect_ratio": "9:16"}
    assert SLIDE.prompt in asked["messages"][0]["content"]
    assert server.paths == ["/v1/chat/completions"]


def test_a_model_that_only_draws_is_asked_for_pictures_alone(service, server):
    def no_text(asked: dict[str, Any]) -> str:
        fits = asked.get("modalities") == ["image"]
        return "" if fits else "no endpoint has the modalities image, text"

    server.refuses = no_text
    maker = pictures(service, server, api="chat", model="flux.2-pro")
    maker.make(SLIDE, WIDE)
    maker.make(SLIDE, WIDE)
    assert [asked.get("modalities") for asked in server.asked] == [
        ["image", "text"],
        ["image"],
        ["image"],
    ]


def test_openrouter_is_asked_by_chat_and_with_its_own_key(service):
    url = "https://openrouter.ai/api/v1"
    maker = AiPictures(service, model="google/gemini-3-image", base_url=url)
    assert maker.identity(SLIDE, WIDE)["api"] == "chat"
    assert key_env(url) == "OPENROUTER_API_KEY"
    assert key_env("https://openrouter.ai.example.com/v1") == "OPENAI_API_KEY"
    assert [service_name(u) for u in (OPENAI_URL, url, "http://localhost:8080/v1")] == [
        "openai",
        "openrouter",
        "localhost",
    ]
    with pytest.raises(SlideError, match=r"openrouter\.ai needs a key.*OPENROUTER_API_KEY"):
        maker.make(SLIDE, WIDE)


@pytest.mark.parametrize(
    "llm", ["{model: google/gemini-3-image}", "{model: m, provider: openrouter}"]
)
def test_a_movie_that_names_a_model_of_openrouters_asks_there(llm, folder):
    folder.write("movie.yaml", f"slides: {{llm: {llm}}}\n")
    sections = "sections: [{title: A, slide_prompt: the sea, narrations: [Hello.]}]"
    folder.write("script.yaml", f"title: Sea\n{sections}\n")
    # Another service's key is not sent there, and not asked for.
    run = folder.doit("slides", env={"OPENAI_API_KEY": KEY}, code=None)
    assert "openrouter.ai needs a key: set the environment variable OPENROUTER_API_KEY" in run.err


def test_the_size_asked_for_is_the_models_nearest_to_the_movies():
    square = replace(WIDE, width_px=540)
    cases = {
        "gpt-image-1-mini": ("1536x1024", "1024x1536", "1024x1024"),
        "dall-e-3": ("1792x1024", "1024x1792", "1024x1024"),
        "dall-e-2": ("1024x1024", "1024x1024", "1024x1024"),
        "stablediffusion": ("1344x768", "768x1344", "1024x1024"),
    }
    for model, sizes in cases.items():
        assert tuple(size_for(model, look) for look in (WIDE, TALL, square)) == sizes
    assert [aspect_for(look) for look in (WIDE, TALL, square)] == ["16:9", "9:16", "1:1"]


def test_style_size_and_quality_are_told(service, server):
    maker = pictures(service, server, style="flat, two colours", size="512x512", quality="high")
    maker.make(SLIDE, WIDE)
    asked = server.asked[0]
    assert asked["prompt"] == f"{SLIDE.prompt}\n\nStyle: flat, two colours"
    assert (asked["size"], asked["quality"]) == ("512x512", "high")


def test_the_picture_is_cut_to_the_movies_size_on_its_slide(service, server, tmp_path):
    makers = SlideMakers(tmp_path, ai=pictures(service, server))
    slide = makers.settled(Slide("", "Dawn", prompt=SLIDE.prompt, movie_title="Hills"))
    maker = makers.picture_maker(slide)
    assert maker
    path = tmp_path / "made.picture"
    path.write_bytes(maker.make(slide, WIDE))
    image = Image.open(io.BytesIO(makers.slides.draw(with_picture(slide, path), WIDE)))
    assert image.size == (960, 540)
    color = color_of(SLIDE.prompt)
    # All of it is the picture, scaled and cut in the middle: no title, no margin.
    assert {image.getpixel(at) for at in ((300, 2), (957, 270), (500, 537))} == {color}
    assert image.getpixel((150, 270)) == (20, 20, 20)


# ---- failing


@pytest.mark.parametrize("api", ["images", "chat"])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_may_pass_is_asked_again_and_paid_for_once(fault, api, server, waits, tmp_path):
    ledger = Ledger(tmp_path / "costs.json")
    service = Service("openai", Limits(tries=3), ledger, sleep=waits.append)
    server.fault = once(fault)
    maker = pictures(service, server, api=api, usd_per_image=0.04, timeout_s=2.0)
    content = maker.make(SLIDE, WIDE)
    prompt = next(iter(server.calls))
    assert shown(content) == color_of(prompt)
    assert (server.calls[prompt], server.finished[prompt], len(waits)) == (2, 1, 1)
    # What was answered with success is counted as paid for, though it was no picture.
    n_broken = fault not in ("429", "500", "reset", "silence", "an error with status 200")
    use = ledger.run["openai"]
    assert (use.images, use.calls, use.broken) == (1, 1 + n_broken, n_broken)
    assert use.usd == pytest.approx(0.04 * use.calls)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("a web page", "a web page"),
        ("nothing", "nothing came"),
        ("no data", "no picture"),
        ("half a picture", "damaged"),
        ("text for a picture", "a web page"),
        ("a tiny picture", "only 1 × 1 pixels"),
        ("one colour", "one colour all over"),
    ],
)
def test_what_does_not_pass_is_the_slides_error(fault, words, service, server):
    server.fault = lambda _prompt, _nth: fault
    with pytest.raises(SlideError, match=rf"openai: .*{words}.*tried 3 times"):
        pictures(service, server).make(SLIDE, WIDE)
    assert server.calls[SLIDE.prompt] == 3


@pytest.mark.parametrize("fault", ["400", "moderated with status 200"])
def test_a_refused_prompt_is_not_asked_again(fault, service, server, waits):
    server.fault = lambda _prompt, _nth: fault
    words = r"(rejected by the safety system|flagged as unsafe); change the slide_prompt, or"
    with pytest.raises(SlideError, match=words):
        pictures(service, server).make(SLIDE, WIDE)
    assert (server.calls[SLIDE.prompt], waits) == (1, [])


def test_a_models_refusal_is_told_and_its_chatter_asked_again(service, server):
    maker = pictures(service, server, api="chat")
    server.reply = "refusal"
    with pytest.raises(SlideError, match=r"the prompt is refused: I cannot draw that"):
        maker.make(SLIDE, WIDE)
    assert service.ledger.run["openai"].broken == 1
    server.reply = "words"
    with pytest.raises(
        SlideError, match=r"no picture \(does this model draw\?\): I would.*tried 3"
    ):
        maker.make(SLIDE, WIDE)
    assert len(server.asked) == 1 + 3


def test_a_broken_download_is_not_a_second_picture(server, waits, tmp_path):
    ledger = Ledger(tmp_path / "costs.json")
    service = Service("openai", Limits(tries=5), ledger, sleep=waits.append)
    server.reply = "url"
    faults = ["500", "reset", "half a picture", "a web page"]
    server.file_fault = lambda nth: faults[nth - 1] if nth <= len(faults) else ""
    assert shown(pictures(service, server).make(SLIDE, WIDE)) == color_of(SLIDE.prompt)
    assert server.calls[SLIDE.prompt] == 1
    assert len(server.headers_of_files) == 5
    assert ledger.run["openai"].images == 1


def test_a_picture_that_was_paid_for_and_not_fetched_is_not_paid_for_again(
    service, server, tmp_path
):
    server.reply = "url"
    server.file_fault = lambda nth: "500" if nth <= 3 else ""
    with pytest.raises(SlideError, match="answered 500"):
        pictures(service, server, keep=tmp_path).make(SLIDE, WIDE)
    content = pictures(service, server, keep=tmp_path).make(SLIDE, WIDE)
    assert shown(content) == color_of(SLIDE.prompt)
    assert server.calls[SLIDE.prompt] == 1
    assert not [*tmp_path.iterdir()]
    # Nor if the next build finds no network at all.
    server.file_fault = lambda nth: "500" if nth <= 10 else ""
    with pytest.raises(SlideError, match="answered 500"):
        pictures(service, server, keep=tmp_path).make(SLIDE, WIDE)
    nobody = "http://127.0.0.1:9/v1"
    with pytest.raises(SlideError, match=r"127\.0\.0\.1:9"):
        pictures(service, server, keep=tmp_path, base_url=nobody).make(SLIDE, WIDE)
    assert pictures(service, server, keep=tmp_path).make(SLIDE, WIDE) == content
    assert server.calls[SLIDE.prompt] == 2
    # Where the address is no good any more, another picture is asked for.
    server.file_fault = lambda nth: "404" if nth in (12, 13) else ""
    with pytest.raises(SlideError, match="404"):
        pictures(service, server, keep=tmp_path).make(SLIDE, WIDE)
    assert pictures(service, server, keep=tmp_path).make(SLIDE, WIDE) == content
    assert server.calls[SLIDE.prompt] == 4
    assert not [*tmp_path.iterdir()]


def test_a_picture_is_fetched_without_the_key_and_told_of_without_its_signature(
    service, server, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.key, server.reply = KEY, "url"
    server.file_fault = lambda _nth: "404"
    with pytest.raises(SlideError, match="404") as caught:
        pictures(service, server).make(SLIDE, WIDE)
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    assert all("Authorization" not in headers for headers in server.headers_of_files)


def test_a_service_on_the_internet_cannot_name_ones_own_network():
    from movie_build.slides.ai_download import picture_at

    with image_server() as inside:
        url = inside.url.removesuffix("/v1") + "/files/00.png"
        with pytest.raises(SlideError, match=r"on your own network: it is not asked"):
            picture_at(url, service_url="https://api.openai.com/v1", timeout_s=5)
        assert inside.headers_of_files == []


def test_the_key_is_in_no_error_and_no_identity(service, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.fault = lambda _prompt, _nth: "an error with status 200"
    url = server.url.replace("http://", "http://user:password@")
    maker = pictures(service, server, base_url=url)
    with pytest.raises(SlideError, match="not loaded") as caught:
        maker.make(SLIDE, WIDE)
    told = "".join(traceback.format_exception(caught.value)) + json.dumps(
        dict(maker.identity(SLIDE, WIDE))
    )
    assert KEY not in told
    assert "password" not in told
    server.key = "another"
    with pytest.raises(SlideError, match="is the key for") as caught:
        maker.make(SLIDE, WIDE)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_settings_that_cannot_be_right_are_refused(service):
    with pytest.raises(SlideError, match=r"no model is named.*slides\.llm\.model"):
        AiPictures(service, model=" ")
    with pytest.raises(SlideError, match=r"did you mean 'images'"):
        AiPictures(service, model="m", api="image")


# ---- money, limits, threads


def test_the_budget_stops_before_the_picture_that_would_pass_it(server):
    service = Service("openai", Limits(), Ledger(budget_usd=0.10))
    maker = pictures(service, server, usd_per_image=0.04)
    for prompt in ("one", "two"):
        maker.make(replace(SLIDE, prompt=prompt), WIDE)
    with pytest.raises(BudgetError, match="raise `budget`"):
        maker.make(replace(SLIDE, prompt="three"), WIDE)
    assert len(server.asked) == 2


def test_the_price_and_tokens_that_the_service_tells_are_counted(service, server):
    server.cost_usd = 0.0123
    pictures(service, server, api="chat", usd_per_image=0.04).make(SLIDE, WIDE)
    use = service.ledger.run["openai"]
    assert (use.usd, use.images, use.tokens_in, use.tokens_out) == (0.0123, 1, 7, 90)


def test_threads_share_a_maker_and_its_limiter(server):
    service = Service("openai", Limits(at_once=2))
    maker = pictures(service, server)
    server.gate = threading.Event()
    prompts = [f"picture {n}" for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        made = [pool.submit(maker.make, replace(SLIDE, prompt=p), WIDE) for p in prompts]
        while server.at_once < 2:
            threading.Event().wait(0.01)
        server.gate.set()
        contents = [one.result() for one in made]
    assert [shown(content) for content in contents] == [color_of(p) for p in prompts]
    assert server.most_at_once == 2


# ---- identity


def test_the_identity_changes_exactly_with_what_changes_the_picture(service, server):
    def identity(slide: Slide = SLIDE, look: Look = WIDE, **settings: Any) -> str:
        return json.dumps(pictures(service, server, **settings).identity(slide, look))

    same = identity()
    assert identity() == same
    assert identity(look=replace(WIDE, width_px=1920, height_px=1080)) == same, "same shape"
    assert identity(look=replace(WIDE, primary_color="#ff0000", language="ja")) == same
    assert identity(replace(SLIDE, logo=Path("/logo.png"), title="T")) == same
    assert identity(usd_per_image=1.0, api_key_env="OTHER_KEY", timeout_s=9.0) == same
    assert identity(base_url="http://127.0.0.1:1/v1") == same, "another way to the model"
    # What was drawn there while the address was in the key is still found by it.
    assert json.loads(same)["url"] == "https://api.openai.com/v1"
    assert json.loads(identity(api="chat"))["url"] == "https://openrouter.ai/api/v1"
    others = [
        identity(replace(SLIDE, prompt="Another hill")),
        identity(look=TALL),
        identity(model="gpt-image-1-mini"),
        identity(style="flat"),
        identity(size="1024x1024"),
        identity(quality="low"),
        identity(api="chat"),
    ]
    assert len({same, *others}) == len(others) + 1


def test_the_same_model_at_another_address_draws_nothing_again(server, folder):
    folder.write("movie.yaml", f"{SMALL}slides: {{llm: {{model: gpt-image-1}}}}\n")
    section = "- {title: T, slide_prompt: hills, narrations: [Hello.]}\n"
    folder.write("script.yaml", f"title: Land\nsections:\n{section}")
    told = {"OPENAI_API_KEY": KEY}
    assert folder.doit("slides", env={**told, "OPENAI_BASE_URL": server.url}).made()["slide"] == 1
    with image_server() as other:
        assert folder.doit("slides", env={**told, "OPENAI_BASE_URL": other.url}).made() == {}
        assert other.asked == [] and len(server.asked) == 1


def test_identity_imports_nothing_heavy():
    code = """
import sys
from movie_build.look import Look, Slide
from movie_build.openai_client import OPENAI_URL, service_name
from movie_build.service import Service
from movie_build.slides.ai import AiPictures
from movie_build.slides.registry import SlideMakers
AiPictures(Service("openai"), model="m").identity(Slide("full", "", prompt="p"), Look())
heavy = {"openai", "httpx", "httpx2", "PIL", "numpy", "playwright", "jinja2", "lxml", "pypdfium2"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ---- drafts


def test_a_placeholder_is_a_draft_of_its_own_and_asks_nobody(service, server, tmp_path):
    prompted = Slide("", "Dawn", prompt=SLIDE.prompt, movie_title="Hills")
    drafts = SlideMakers(tmp_path, ai=pictures(service, server), placeholder=True)
    slide = drafts.settled(prompted)
    assert slide.template == "draft"
    assert drafts.picture_maker(slide) is None
    real = SlideMakers(tmp_path, ai=pictures(service, server))
    assert real.settled(prompted).template == "full"
    image = Image.open(io.BytesIO(drafts.slides.draw(slide, WIDE))).convert("RGB")
    assert image.size == (960, 540)
    accent = [1 for at in range(0, 960, 2) if image.getpixel((at, 17)) == (0xB8, 0x3A, 0x1B)]
    assert len(accent) > 100, "a dashed frame of the accent's colour goes round it"
    other = drafts.settled(replace(prompted, prompt="Another"))
    assert drafts.slides.identity(slide, WIDE) != drafts.slides.identity(other, WIDE)
    assert server.asked == []


def test_a_prompt_gives_way_to_what_the_user_has(service, server, tmp_path):
    makers = SlideMakers(tmp_path, ai=pictures(service, server))
    base = Slide("", "T", prompt="p", bullets=("a",))
    assert makers.picture_maker(makers.settled(base)) is not None
    for slide, template in (
        (replace(base, picture=tmp_path / "a.png"), "picture"),
        (replace(base, html="<p>own</p>"), "html"),
        (replace(base, template="bullets"), "bullets"),
    ):
        settled = makers.settled(slide)
        assert (settled.template, settled.prompt) == (template, "")
        assert makers.picture_maker(settled) is None
    without = SlideMakers(tmp_path).settled(base)
    assert (without.template, without.prompt) == ("bullets", "")


def test_a_placeholder_stands_only_for_pictures_that_are_still_to_be_drawn(server, folder):
    drawing = f"slides: {{llm: {{model: gpt-image-1, base_url: '{server.url}'}}}}\n"
    folder.write("movie.yaml", f"style: {{resolution: [320, 180]}}\n{drawing}")
    sections = "".join(
        f"- {{title: {prompt}, slide_prompt: {prompt}, narrations: [Hello.]}}\n"
        for prompt in ("hills", "weapons", "lakes")
    )
    folder.write("script.yaml", f"title: Land\nsections:\n{sections}")
    server.refuses = lambda asked: "not allowed" if "weapons" in asked["prompt"] else ""
    key = {"OPENAI_API_KEY": KEY}
    run = folder.doit("run", "--continue", "slides", env=key, code=None)
    assert (run.report["steps"]["slide"]["made"], run.report["steps"]["slide"]["failed"]) == (2, 1)
    assert re.search(
        r"script.yaml:\d+: sections\[1\]: http://127\S+: HTTP 400: not allowed", run.err
    )
    assert not (folder.path / "dist").exists() and len(folder.files("build/artwork/*")) == 2
    n_asked = len(server.asked)
    drafted = folder.doit(env={"MOVIE_BUILD_PLACEHOLDER": "1"})
    assert drafted.made()["slide"] == 1 and drafted.reused()["slide"] == 2
    assert len(server.asked) == n_asked

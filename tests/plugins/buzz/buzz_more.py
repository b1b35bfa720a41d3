"""An author and a maker of pictures of another package."""

import io

from PIL import Image

from movie_build.script import Line, Script, Section


class Shouting:
    def __init__(self, config, service):
        pass

    def write(self, article):
        line = Line(f"{article.title.upper()}!" if article.title != "Nothing" else "")
        return Script(article.title, (Section(article.title, (line,), slide_prompt="green"),))


class OneColour:
    def __init__(self, drawing, service):
        pass

    def identity(self, slide, look):
        return {"maker": "one-colour", "prompt": slide.prompt}

    def files(self, slide, look):
        return ()

    def make(self, slide, look):
        if slide.prompt == "nothing":
            return b""
        out = io.BytesIO()
        Image.new("RGB", (look.width_px, look.height_px), slide.prompt).save(out, "PNG")
        return out.getvalue()

"""What an author is: it writes the script of an article. It knows nothing of files or builds."""

from __future__ import annotations

from typing import Protocol

from movie_build.article import Article
from movie_build.script import Script


class Author(Protocol):
    """Writes scripts."""

    def write(self, article: Article) -> Script:
        """The script of `article`: what is said and shown, section by section.

        Raises:
            AuthorError: nothing that could be said can be made of it.
        """
        ...

"""`doit plan`: what the next `doit` would do. doit finds it by the entry point `doit.COMMAND`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from doit.cmd_base import Command
from doit.cmdparse import CmdOption

# While `doit plan` reads a dodo.py: the movies that it names; they are not taken up to be built.
_named: list[Path] | None = None


def only_named(*folders: Path) -> bool:
    """Whether a dodo.py is read for its movies' folders alone; these are noted then."""
    if _named is None:
        return False
    _named.extend(folders)
    return True


class PlanCommand(Command):  # type: ignore[misc]  # doit has no types
    """The command, as doit wants it: it reads dodo.py, and neither opens nor makes a database."""

    name = "plan"
    doc_purpose = "say what the next build of a movie would do, without writing a byte"
    doc_usage = "[MOVIE ...]"
    cmd_options = (
        {
            "name": "json",
            "short": "",
            "long": "json",
            "type": bool,
            "default": False,
            "help": "as data",
        },
    )

    def __init__(self, task_loader: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loader = task_loader

    def get_options(self) -> list[CmdOption]:
        """Our own and those that say where dodo.py is."""
        return [CmdOption(option) for option in (*self.loader.cmd_options, *self.cmd_options)]

    def execute(self, opt_values: dict[str, Any], pos_args: list[str]) -> int:
        """Tell the plans; 1 if a movie cannot be planned."""
        from movie_build.plan import tell

        folders = self._folders(opt_values)
        if pos_args:
            unknown = set(pos_args) - {folder.name for folder in folders}
            if unknown:
                print(f"no movie {min(unknown)!r} here", file=sys.stderr)
                return 1
            folders = [folder for folder in folders if folder.name in pos_args]
        text, errors = tell(folders, as_json=opt_values["json"])
        if text:
            print(text)
        for error in errors:
            print(error, file=sys.stderr)
        return 1 if errors else 0

    def _folders(self, opt_values: dict[str, Any]) -> list[Path]:
        """The folders of the movies that dodo.py names."""
        global _named  # noqa: PLW0603
        sys.dont_write_bytecode = True
        _named = []
        try:
            self.loader.setup(opt_values)
            return list(dict.fromkeys(_named))
        finally:
            _named = None

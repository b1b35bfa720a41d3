"""Every movie in `projects/`: `doit` builds them all, `doit hello` one."""

from movie_build.tasks import movies

movies(globals(), __file__, "projects")

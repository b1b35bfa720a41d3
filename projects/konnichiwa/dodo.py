from movie_build.tasks import movie

movie(globals(), __file__)

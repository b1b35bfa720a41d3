# Builds the movie in the folder mounted at /movie:
#   docker build -t movie-build . && docker run --rm -v "$PWD/projects/hello:/movie" movie-build
FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium-headless-shell fonts-noto-cjk fonts-noto-color-emoji \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/movie-build
COPY pyproject.toml README.md LICENSE ./
COPY movie_build movie_build
COPY templates templates
RUN pip install --no-cache-dir '.[ja]'
WORKDIR /movie
ENV MOVIE_BUILD_CACHE=/movie/build/cache
ENTRYPOINT ["movie-build"]
CMD ["build"]

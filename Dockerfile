# The backend with its embedded models, without root. `docker compose up` runs it beside Label Studio: docs/deploy.md.
FROM python:3.11-slim AS needed

RUN python -m venv /app
WORKDIR /build

# Where torch and torchvision come from, and nothing else: the CPU index that PyTorch's install page gives makes an
# image without CUDA. Empty takes them from where everything comes from.
ARG PYTORCH_INDEX_URL=""
# What the package and the extras of a server need: all exports, and the parser of the presets "paper". The layer lasts
# until one of these two files changes. Wheels only: no compiler.
ARG EXTRAS="parquet trf"
COPY pyproject.toml constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -c "import sys, tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *(line for extra in sys.argv[1:] for line in p['optional-dependencies'][extra]), sep='\n')" $EXTRAS > needed.txt \
    && if [ -n "$PYTORCH_INDEX_URL" ]; then \
        /app/bin/pip install --only-binary :all: --no-deps --index-url "$PYTORCH_INDEX_URL" -c constraints.txt torch torchvision; \
    fi \
    && /app/bin/pip install --only-binary :all: -c constraints.txt -r needed.txt

FROM needed AS build

COPY README.md LICENSE NOTICE ./
COPY backend backend
COPY migrations migrations
COPY label_config label_config
RUN --mount=type=cache,target=/root/.cache/pip /app/bin/pip wheel --no-deps --wheel-dir /wheels .

FROM python:3.11-slim

# A change of the source leaves this layer, gigabytes of it, as it is.
COPY --from=needed /app /app
RUN --mount=from=build,source=/wheels,target=/wheels /app/bin/pip install --no-cache-dir --no-deps /wheels/*.whl
# Everything that is ever written lies in the volume, the caches of libraries too: the rest may be read-only.
RUN useradd --uid 1000 --home-dir /data --no-create-home ris && mkdir /data && chown ris /data
USER ris
WORKDIR /data
VOLUME /data
ENV PATH=/app/bin:$PATH HOME=/data RIS_HOST=0.0.0.0 RIS_PORT=9090 RIS_DATABASE_URL=sqlite:////data/ris.db RIS_SCENE_FOLDER=/data/scenes RIS_MODELS_FOLDER=/data/models
EXPOSE 9090
HEALTHCHECK --start-period=120s --interval=15s --timeout=3s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://localhost:' + os.environ['RIS_PORT'] + '/health', timeout=2)"]
# One process from the start, no shell before it: a stop reaches it while the database is being upgraded, too.
CMD ["ris", "serve", "--upgrade"]

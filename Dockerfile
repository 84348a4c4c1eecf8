# The backend with its embedded models, without root. `docker compose up` runs it beside Label Studio.
FROM python:3.11-slim AS build

RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc g++ \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY backend backend
COPY tinyworld tinyworld
COPY migrations migrations
COPY label_config label_config
RUN python -m venv /app && /app/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.11-slim

COPY --from=build /app /app
RUN useradd --create-home ris && mkdir /data && chown ris /data
USER ris
WORKDIR /data
VOLUME /data
ENV PATH=/app/bin:$PATH RIS_HOST=0.0.0.0 RIS_PORT=9090 RIS_DATABASE_URL=sqlite:////data/ris.db RIS_SCENE_FOLDER=/data/scenes RIS_MODELS_FOLDER=/data/models
EXPOSE 9090
HEALTHCHECK --start-period=60s --interval=15s --timeout=3s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://localhost:' + os.environ['RIS_PORT'] + '/health', timeout=2)"]
CMD ["sh", "-c", "ris db upgrade && exec ris serve"]

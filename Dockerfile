# The stage "development" holds the tools and no code (docker-compose.yml mounts it); the last stage is what you deploy.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --quiet --require-hashes --only-binary=:all: -r requirements.lock \
    && /opt/venv/bin/pip uninstall --quiet --yes pip

FROM python:3.13-slim AS development
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000
COPY requirements-dev.lock /opt/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r /opt/requirements-dev.lock
WORKDIR /srv/slipway
EXPOSE 8000
ENTRYPOINT ["python", "-m", "app"]
CMD ["dev"]

FROM python:3.13-slim AS production
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production HOST=0.0.0.0 PORT=8000
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/slipway
COPY . .
RUN rm -f requirements-dev.lock \
    && python -m compileall -q app core migrations
USER 65534:65534
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]

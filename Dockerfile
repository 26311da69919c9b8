# The system as one image: web (default), worker and beat differ by their command only.
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.txt ./
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY migrations migrations
COPY mis mis
COPY registry registry
COPY eligibility eligibility
COPY payments payments
COPY grievances grievances
RUN /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /srv/mis --create-home mis
COPY --from=build /srv/venv /srv/venv
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MIS_ENVIRONMENT=production \
    MIS_INSTANCE_DIR=/srv/mis/instance
USER mis
WORKDIR /srv/mis
RUN mkdir -p instance
EXPOSE 8000
CMD ["gunicorn", "mis.wsgi:app", "--bind", "0.0.0.0:8000", "--workers", "3", "--access-logfile", "-"]

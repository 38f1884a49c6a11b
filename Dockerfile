# Two images from one file: `platform` for the services of Dagster, `jupyter` for analysts.
# The checkout is installed in place: the code finds its SQL beside itself.

FROM python:3.13-slim AS packages
ENV UV_NO_CACHE=1 UV_PYTHON=/opt/venv/bin/python UV_COMPILE_BYTECODE=1 UV_CONSTRAINT=requirements.lock
WORKDIR /app
# Only what the packages depend on, so that a change to the code reinstalls nothing.
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY lgs_assets/__init__.py lgs_assets/
RUN pip install --no-cache-dir --constraint requirements.lock uv && python -m venv --without-pip /opt/venv
RUN uv pip install --editable ".[azure,mysql,sqlserver]"

FROM packages AS jupyter-packages
RUN uv pip install --editable ".[notebook,jupyter]"

FROM python:3.13-slim AS runtime
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LGS_HOME=/var/lib/lgs
RUN useradd --uid 1000 --create-home lgs && install --directory --owner lgs --group lgs /var/lib/lgs /lake
WORKDIR /app

FROM runtime AS jupyter
COPY --from=jupyter-packages /opt/venv /opt/venv
COPY . .
USER lgs

FROM runtime AS platform
# Volumes take their owner from the folders they are mounted on.
RUN install --directory --owner lgs --group lgs /inbox /opt/dagster /opt/dagster/storage
ENV DAGSTER_HOME=/opt/dagster
COPY --from=packages /opt/venv /opt/venv
COPY . .
RUN ln --symbolic /app/deploy/dagster.yaml /opt/dagster/dagster.yaml
USER lgs

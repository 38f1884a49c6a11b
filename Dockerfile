# Two images from one file: `platform` for the services of Dagster, `jupyter` for analysts.
# The checkout is installed where it lies: the code finds its SQL beside itself.

FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /app
# No more than what the packages depend on, so that a change of the code installs nothing anew.
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY lgs_assets/__init__.py lgs_assets/
RUN /opt/venv/bin/pip install --constraint requirements.lock --editable ".[azure,duckdb,mysql,sqlserver]"

FROM packages AS jupyter-packages
RUN /opt/venv/bin/pip install --constraint requirements.lock --editable ".[notebook,jupyter]"

FROM python:3.13-slim AS runtime
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LGS_HOME=/var/lib/lgs
RUN useradd --uid 1000 --create-home lgs && install --directory --owner lgs --group lgs /var/lib/lgs /lake
WORKDIR /app

FROM runtime AS jupyter
COPY --from=jupyter-packages /opt/venv /opt/venv
COPY . .
USER lgs

FROM runtime AS platform
# What volumes are mounted on takes its owner from here.
RUN install --directory --owner lgs --group lgs /inbox /opt/dagster /opt/dagster/storage
ENV DAGSTER_HOME=/opt/dagster
COPY --from=packages /opt/venv /opt/venv
COPY . .
RUN ln --symbolic /app/deploy/dagster.yaml /opt/dagster/dagster.yaml
USER lgs

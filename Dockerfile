# One image for all parts: the server, and the machines of a Ray cluster that compute (docs/scaling.md).
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 AUGURY_HOME=/var/lib/augury
RUN useradd --create-home --uid 1000 augury && mkdir -p /var/lib/augury /var/lib/augury-shared \
    && chown augury:augury /var/lib/augury /var/lib/augury-shared
WORKDIR /srv/augury

# The CPU build is a tenth of the size; `--build-arg TORCH=https://download.pytorch.org/whl/cu128` for a GPU's.
ARG TORCH=https://download.pytorch.org/whl/cpu
COPY requirements.txt requirements-server.txt constraints.txt ./
RUN pip install --extra-index-url "$TORCH" -r requirements-server.txt

COPY app.py LICENSE README.md ./
COPY .streamlit .streamlit
COPY core core
COPY pages pages
COPY docs docs

USER augury
EXPOSE 8501
CMD ["python", "-m", "core", "class", "--port", "8501"]

# One image for every part; compose.yaml says which command each part runs.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    FLASK_APP=wsgi \
    VOUCH_ENV=production \
    VOUCH_DATA_DIR=/data

WORKDIR /srv/vouch

COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY . .
RUN python -m compileall -q app community escalation gamification migrations wsgi.py \
    && useradd --system --create-home vouch \
    && install -d -o vouch -g vouch -m 700 /data

USER vouch
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]

CMD ["gunicorn", "-k", "app.serving.Worker", "-w", "2", "--threads", "64", "--graceful-timeout", "5", "--no-control-socket", "-b", "0.0.0.0:8000", "wsgi:app"]

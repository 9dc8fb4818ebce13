from celery import Celery

app = Celery("main", broker="memory://", backend="cache+memory://")


@app.task
def add(one, other):
    return one + other


def run():
    from celery.contrib.testing.worker import start_worker

    with start_worker(app, perform_ping_check=False):
        assert add.delay(1, 2).get(timeout=60) == 3

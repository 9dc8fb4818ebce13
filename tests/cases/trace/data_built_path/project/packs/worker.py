import app.used_by_worker

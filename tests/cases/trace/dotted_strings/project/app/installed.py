import app.behind

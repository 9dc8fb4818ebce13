import app.d

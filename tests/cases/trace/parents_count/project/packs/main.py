import app.sub.mod

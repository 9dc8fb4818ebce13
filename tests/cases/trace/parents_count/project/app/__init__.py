import app.registry

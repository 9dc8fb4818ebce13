import app.helper

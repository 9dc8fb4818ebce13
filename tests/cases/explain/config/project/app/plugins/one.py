from app.plugins import two

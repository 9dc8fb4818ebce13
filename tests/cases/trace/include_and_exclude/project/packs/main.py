import app

try:
    import app.dev
except ImportError:
    pass

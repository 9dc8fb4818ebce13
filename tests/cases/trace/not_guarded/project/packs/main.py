try:
    import app.a
except KeyError:
    import app.on_error
finally:
    import app.b

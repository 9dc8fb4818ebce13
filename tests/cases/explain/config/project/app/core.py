try:
    import app.hidden
except ImportError:
    pass
import bucket_sdk.client

SUPPORTED_APPS = ["unused", "slack"]

INSTALLED_APPS = ["shop." + name for name in ("second", "third")]

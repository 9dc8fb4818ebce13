INSTALLED_APPS = [
    "rest_framework",  # imported by its name
    "app.users",  # imported by its name
    "not a name",
]
MIDDLEWARE = ("app.middleware.Custom",) + ("whitenoise.middleware.WhiteNoise",)  # imported
MIDDLEWARE += ["cors.middleware"]  # imported
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",  # imported
        "HOST": "db.example.org",
    }
}
ROOT_URLCONF = "app.urls"
WSGI_APPLICATION = "app.wsgi.application"
AUTH_USER_MODEL = "accounts.User"  # an app and a model of it: no module
ALLOWED_HOSTS = ["unnamed.example.org"]
LANGUAGE = "other"

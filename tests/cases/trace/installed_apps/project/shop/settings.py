THIRD_PARTY_APPS = ["corsheaders"]  # imported
LOCAL_APPS: list[str] = ["shop.local"]  # its models
INSTALLED_APPS = [
    "django.contrib.admin",  # imported, and `admin` of each app
    "shop.orders",  # what Django loads of it, not its views
    *THIRD_PARTY_APPS,
    "top",
    "nowhere",  # imported, if it is there
] + LOCAL_APPS
INSTALLED_APPS.append("shop.late")
INSTALLED_APPS += ("shop.added",)  # without __init__.py
UNINSTALLED = ["unused"]
import shop.catalog

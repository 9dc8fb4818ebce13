BUCKET = "of a pack that has no Django"
INSTALLED_APPS = ["django.contrib.auth", "shop.orders"]

INSTALLED_APPS = list(dict.fromkeys(["shop.first", "shop.first"]))

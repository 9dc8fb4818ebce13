INSTALLED_APPS = ["shop.configs.OrdersConfig"]  # without django.contrib.admin: no `admin`

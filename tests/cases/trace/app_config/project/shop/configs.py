from django.apps import AppConfig as Config


class OrdersConfig(Config):
    name = "shop.orders"
    verbose_name = "plain"


class NoConfig:
    name = "plain"

from shop.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS]
INSTALLED_APPS += """
shop.third
""".split()

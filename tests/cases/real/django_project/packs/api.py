import os

import django
from django.apps import apps
from django.core.management import call_command
from django.template.loader import render_to_string
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()


def lambda_handler(event, context):
    call_command("migrate", verbosity=0)
    call_command("restock", "3")
    orders = apps.get_model("orders", "Order").objects.all()
    view = resolve("/orders/").func
    page = render_to_string("orders/list.html", {"orders": orders})
    return {"statusCode": 200, "body": page, "view": f"{view.__module__}.{view.__name__}", "models": sorted(models())}


def models():
    return [model._meta.label for model in apps.get_models() if model.__module__.startswith("shop.")]

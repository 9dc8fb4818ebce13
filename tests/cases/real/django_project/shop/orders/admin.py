from django.contrib import admin

from shop.orders.models import Order

admin.site.register(Order)

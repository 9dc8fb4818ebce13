from django.core.management.base import BaseCommand

from shop.orders.models import Order


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("count", type=int)

    def handle(self, *, count, **options):
        Order.objects.bulk_create(Order(cents=100 * each) for each in range(count))

from shop.settings import BUCKET

import company.orders
from company import users
from company.cloud import storage

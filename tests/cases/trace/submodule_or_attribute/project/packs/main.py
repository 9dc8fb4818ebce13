from app import sub
from app import some_function
from google.cloud import storage

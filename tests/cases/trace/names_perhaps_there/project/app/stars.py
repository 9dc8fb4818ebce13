from app.bound import *

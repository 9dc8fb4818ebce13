import os
def broken(:

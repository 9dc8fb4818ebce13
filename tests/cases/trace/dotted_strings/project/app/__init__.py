names = 1

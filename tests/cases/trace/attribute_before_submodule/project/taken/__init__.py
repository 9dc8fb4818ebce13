number = 1
del number

One = 1

exec("executed = 1")

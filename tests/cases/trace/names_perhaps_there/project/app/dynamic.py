globals()["from_globals"] = 1

raise RuntimeError("no database at localhost")

def load(:
    return {}

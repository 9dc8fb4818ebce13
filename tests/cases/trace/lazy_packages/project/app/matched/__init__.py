def __getattr__(name):
    match name:
        case "One":
            import app.matched.one
        case "Two" | "Three":
            import app.matched.two
        case _:
            import app.matched.fallback

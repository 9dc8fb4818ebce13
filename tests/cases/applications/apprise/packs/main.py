import apprise


def run():
    assert apprise.Apprise().add("json://localhost")

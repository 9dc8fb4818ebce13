from httpie.core import main


def run():
    assert main(["http", "--offline", "--ignore-stdin", "GET", "example.org"]) == 0

"""`python -m monopack`."""

from monopack.cli import main

if __name__ == "__main__":
    main()

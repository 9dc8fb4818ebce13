"""`python -m monopack`, and the `monopack` command: quiet when it is interrupted while it is still starting."""

from __future__ import annotations

import gc
import sys

OBJECTS = 100_000  # that are made before Python looks for circles among them: tracing makes many, and hardly a circle


def main() -> None:
    """Run monopack with the arguments of the process and end it with monopack's exit code."""
    gc.set_threshold(OBJECTS, 50, 100)
    try:
        from monopack.cli import run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

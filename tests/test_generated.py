"""The schema and the reference are what the code generates; `python tests/test_generated.py` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monopack import config
from monopack.cli.page import page

ROOT = Path(__file__).parent.parent


def generated() -> dict[str, str]:
    """The text of each generated file, by its path in the repository."""
    return {
        "schemas/monopack.schema.json": json.dumps(config.schema(), indent=2, ensure_ascii=False) + "\n",
        "docs/reference/configuration.md": config.reference(),
        "docs/cli.md": page(),
    }


@pytest.mark.parametrize("path", generated())
def test_committed_file_is_what_the_code_generates(path: str) -> None:
    parse = json.loads if path.endswith(".json") else str  # versions of pydantic write 0 or 0.0
    assert parse((ROOT / path).read_text("utf-8")) == parse(generated()[path]), "run: python tests/test_generated.py"


def test_reference_names_every_key_flag_and_variable() -> None:
    reference = config.reference()
    words = [f"`{name}`" for name in (*config.BuildConfig.model_fields, *config.PackOptions.model_fields)]
    words = [word for word in words if word not in ("`pack`", "`packs`")] + ["`[pack]`", "`[packs.NAME]`"]
    words += [f"`{option}`" for flag in config.flags() for option in (flag.option, flag.negative) if option]
    assert [word for word in words if word not in reference] == []


if __name__ == "__main__":
    for name, text in generated().items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text, "utf-8")

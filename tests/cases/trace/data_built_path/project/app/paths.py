from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data"
used = (DATA / "own.json").read_text

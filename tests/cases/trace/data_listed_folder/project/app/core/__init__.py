from pathlib import Path

sql = list(Path(__file__).parent.glob("*.sql"))

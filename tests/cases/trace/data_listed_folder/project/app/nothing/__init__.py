from pathlib import Path

HERE = Path(__file__).parent
shown = [HERE, str(HERE), len(HERE.parts)]

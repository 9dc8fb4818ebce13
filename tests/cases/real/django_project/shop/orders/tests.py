raise SystemExit("not of this pack")

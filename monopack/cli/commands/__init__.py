"""One module for each command, imported when it is called: its help, its options, and what it prints."""

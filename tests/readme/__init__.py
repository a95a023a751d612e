"""README.md is true: its commands are run, and print what it says."""

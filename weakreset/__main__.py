"""`python -m weakreset`: the command line."""

from weakreset.cli import main

main()

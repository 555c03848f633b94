"""Makes ``python -m sweeps.cli`` the same as the command ``antsbees``."""

from sweeps.cli.app import main

main()

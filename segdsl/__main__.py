"""`python -m segdsl`: the command line."""

from segdsl.cli.main import main

if __name__ == "__main__":
    main()

"""`python -m realedit` is the same as the `realedit` command."""

from realedit.cli.main import main

if __name__ == "__main__":
    main()

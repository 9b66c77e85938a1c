"""`python -m infra.deployment`."""

from infra.deployment.cli import main

if __name__ == "__main__":
    main()

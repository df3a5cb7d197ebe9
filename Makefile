# Shortcuts for developers; whoever only wants to talk needs packaging/talk alone.
.PHONY: talk test slow lint types screenshots soak

talk:
	packaging/talk

test:
	packaging/test

slow:
	packaging/test -m slow

lint:
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

types:
	.venv/bin/mypy

screenshots:
	.venv/bin/python -m tests.screenshots

soak:
	.venv/bin/python -m tests.soak

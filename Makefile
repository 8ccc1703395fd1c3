# make           set up .venv (and, as root on Debian, the packages that the sandbox needs)
# make demo      the main job on real input: break a registry, find the cause, keep the record
# make help      the other targets
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := setup
.PHONY: setup venv packages kubernetes demo check test lint docs clean lock recordings pictures help
MAKEFLAGS += --no-print-directory
RUN := .venv/bin/cargo-runbook
NOT_FAST := services or sandbox or browser or slow

setup: packages venv
	@echo "Ready.  make demo    make test    make help    $(RUN) --help"

venv:
	@tools/setup.sh

packages:
	@tools/debian-packages.sh

# Root on Debian only, as the sandbox itself; where CI=true, a build that fails is an error.
kubernetes: venv
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		tools/debian-packages.sh kubernetes; \
		$(RUN) sandbox kubernetes || [ "$${CI:-}" != true ]; \
	fi

demo: packages venv
	@$(RUN) demo

lint: venv
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check .
	@.venv/bin/mypy

# Three at a time: of the tests that run at the same time there is always one that waits. Bytecode is written whatever the
# environment says: without it pytest rewrites each assertion anew. nbval, which runs notebooks alone, is left out.
check: lint
	@env -u PYTHONDONTWRITEBYTECODE .venv/bin/pytest -q -n 3 -p no:nbval -m "not ($(NOT_FAST))"

test: venv
	@tools/debian-packages.sh tests kubernetes
	@$(MAKE) kubernetes
	@tools/clean-root.sh
	@tools/beside.sh
	@$(MAKE) lint
	@tools/test.sh

recordings: packages venv
	@.venv/bin/python tools/make_recordings.py

docs: venv
	@.venv/bin/python tools/docs_site.py

# For the docs; a font with Chinese letters has to be there (Debian: fonts-wqy-microhei).
pictures: packages venv
	@CARGO_RUNBOOK_PICTURES=docs/pictures .venv/bin/pytest -q tests/runbooks/test_panels_in_browser.py tests/sandbox/test_stepping_in_browser.py

lock: venv
	@tools/lock.sh

clean:
	@if [ -x $(RUN) ] && [ "$$(id -u)" = 0 ]; then $(RUN) sandbox down >/dev/null 2>&1 || true; fi
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:
	@echo "make             set up .venv and, as root on Debian, the packages that the sandbox needs"
	@echo "make demo        break a registry, find the cause, keep the record (no root: on recorded evidence)"
	@echo "make check       lint, types and the fast tests (under a minute)"
	@echo "make test        lint, types and all tests; says what could not run here"
	@echo "make kubernetes  build Kubernetes for the sandbox's cluster, once (root; about 6 minutes)"
	@echo "make recordings  record the evidence for the replay again, from the sandbox (root)"
	@echo "make docs        build the documentation as a site, build/site, in English and Chinese"
	@echo "make pictures    take the pictures of the docs again, from the browser tests (root)"
	@echo "make lock        resolve requirements.lock again"
	@echo "make clean       remove .venv and caches; records stay"

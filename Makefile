# make demo   installs and runs the main job on the code that is already on this machine
# make test   installs what it needs and runs lint, types, documentation checks and all tests
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash

.PHONY: install demo test check bench clean

.venv/made: pyproject.toml constraints.txt debian-packages.txt
	./debian-packages.sh
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,search,serve]'
	touch $@

.venv/made-test: .venv/made
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

.venv/made-bench: .venv/made-test
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,bench]'
	touch $@

install: .venv/made

demo: .venv/made
	$(BIN)/starloom demo

check: .venv/made-test
	$(BIN)/ruff check src tests bench docs scripts
	$(BIN)/ruff format --check --quiet src tests bench docs scripts
	$(BIN)/mypy
	$(BIN)/python docs/reference.py --check

test: check
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

bench: .venv/made-bench
	$(BIN)/python bench/kernels.py
	$(BIN)/python bench/pipeline.py

clean:
	rm -rf .venv build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache

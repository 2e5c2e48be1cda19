# The two commands a newcomer needs: make app, make test.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
ADDRESS ?= 127.0.0.1
STREAMLIT := $(BIN)/python -m streamlit run app.py --server.port $(PORT) --server.address $(ADDRESS)

.DEFAULT_GOAL := help
.PHONY: help app test slow check fix bench plotlyjs clean chromium

help: ## What can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# Streamlit would open the browser itself, but then shows its own advertisements on the page.
app: $(BIN)/.app ## Install what is needed and open the app in the browser (PORT=8501)
	@bash -c 'for try in $$(seq 150); do (exec 3<>/dev/tcp/$(ADDRESS)/$(PORT)) && break; sleep 0.2; \
	  done; $(BIN)/python -m webbrowser -t http://$(ADDRESS):$(PORT)' > /dev/null 2>&1 &
	$(STREAMLIT)

test: $(BIN)/.test chromium ## Install what is needed and run the tests, in a real browser too
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

slow: $(BIN)/.test chromium ## The tests that take minutes
	$(BIN)/python -m pytest -m slow

check: $(BIN)/.test ## Formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(BIN)/.test ## Mend what check can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(BIN)/.test chromium ## Measure measuring, and the stream to the browser, against their bars
	$(BIN)/python tests/benchmarks/measuring.py
	$(BIN)/python tests/benchmarks/stream.py

# Zopfli's gzip is 4 % smaller than gzip's own.
plotlyjs: $(BIN)/.app ## Take the parts of plotly.js that go with the installed Plotly
	$(BIN)/python -m pip install --quiet zopfli==0.4.3
	version=$$($(BIN)/python -c "import plotly.offline as it; print(it.get_plotlyjs_version())"); \
	for part in basic cartesian gl3d; do name=plotly.js-$$part-dist-min; \
	  curl -sSf https://registry.npmjs.org/$$name/-/$$name-$$version.tgz | \
	  tar -xzO package/plotly-$$part.min.js | $(BIN)/python -c "import sys, zopfli.gzip; \
	    sys.stdout.buffer.write(zopfli.gzip.compress(sys.stdin.buffer.read()))" \
	  > dynamics/export/render/plotlyjs/$$part.js.gz; done

clean: ## Remove the virtual environment and all caches; runs stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(BIN)/.app: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@$(BIN)/python -m dynamics.engine.kernels
	@touch $@

$(BIN)/.test: requirements.txt requirements-test.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-test.txt
	@$(BIN)/python -m dynamics.engine.kernels
	@touch $@ $(BIN)/.app

# The browser tests take any Chromium or Chrome on the PATH; Debian's is installed if there is none.
chromium:
	@command -v chromium chromium-browser google-chrome > /dev/null || { \
	  sudo=$$(command -v sudo || true); \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq chromium > /dev/null; }

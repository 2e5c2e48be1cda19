# The two commands a newcomer needs: make app, make test.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
ADDRESS ?= 127.0.0.1
WITH_NGINX = $$PATH:/usr/sbin:$(CURDIR)/.venv/nginx/usr/sbin
STREAMLIT := $(BIN)/python -m streamlit run app.py --server.port $(PORT) --server.address $(ADDRESS)

# $(call install,PACKAGE): one of Debian's packages, or a sentence that says what to type.
install = { \
	[ "$$(id -u)" = 0 ] && sudo= || sudo=sudo; echo "Installing $(1) ..."; \
	command -v apt-get > /dev/null && { [ -z "$$sudo" ] || command -v sudo > /dev/null; } && \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(1) > /dev/null; } || { \
	echo "$(1) is needed and could not be installed; as root: apt-get install $(1)" >&2; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help app test slow check fix bench plotlyjs clean picture compiler chromium nginx debootstrap

help: ## What can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# Streamlit would open the browser itself, but then shows its own advertisements on the page.
app: $(BIN)/.app ## Install what is needed and open the app in the browser (PORT=8501)
	@! bash -c "exec 3<>/dev/tcp/$(ADDRESS)/$(PORT)" 2> /dev/null || { \
	  echo "Port $(PORT) is taken by another program; make app PORT=8502 takes another port." >&2; \
	  exit 1; }
	@bash -c 'for try in $$(seq 150); do (exec 3<>/dev/tcp/$(ADDRESS)/$(PORT)) && break; sleep 0.2; \
	  done; $(BIN)/python -m webbrowser -t http://$(ADDRESS):$(PORT)' > /dev/null 2>&1 &
	$(STREAMLIT)

test: compiler chromium $(BIN)/.test ## Install what is needed and run the tests, in a real browser too
	$(BIN)/python -m pytest -n 4 --dist loadgroup -m "not slow"

slow: compiler chromium nginx debootstrap $(BIN)/.test ## The tests that take minutes
	PATH="$(WITH_NGINX)" $(BIN)/python -m pytest -n 2 --dist loadgroup -m slow

check: $(BIN)/.test ## Formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(BIN)/.test ## Mend what check can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: compiler chromium $(BIN)/.test ## Measure measuring, and the stream to the browser, against their bars
	$(BIN)/python -m tests.benchmarks.measuring
	$(BIN)/python -m tests.benchmarks.stream

picture: compiler chromium $(BIN)/.test ## Film a live run for the README
	$(BIN)/python -m docs.live

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
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Debian's python3 comes without the parts that make a virtual environment. A .venv that was made
# without them has a python and no pip.
$(BIN)/pip:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	  echo "Python 3.11 or newer is needed; PYTHON=/path/to/python3 names another one." >&2; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2> /dev/null || $(call install,python3-venv)
	$(PYTHON) -m venv .venv

# Where there is no compiler, pip brings one: a clang, which takes a minute or two for its first file.
zig = command -v $${CXX:-c++} > /dev/null || { echo "Fetching a compiler ..."; \
	$(BIN)/python -m pip install --quiet ziglang==0.17.1; } || true

$(BIN)/.app: requirements.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@$(zig)
	@$(BIN)/python -m dynamics.engine.kernels
	@touch $@

$(BIN)/.test: requirements.txt requirements-cluster.txt requirements-test.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet -r requirements-test.txt
	@$(BIN)/python -m dynamics.engine.kernels
	@touch $@ $(BIN)/.app

# The tests hold compiled steps to those of torch; Playwright wants libatomic, which g++ brings along.
compiler:
	@command -v $${CXX:-c++} > /dev/null || $(call install,g++)

# The browser tests take any Chromium or Chrome on the PATH; Debian's is installed if there is none.
chromium:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || \
	  command -v google-chrome > /dev/null || $(call install,chromium)

# Unpacked and not installed: Debian's package would start a web server on port 80.
nginx: | $(BIN)/pip
	@PATH="$(WITH_NGINX)" command -v nginx > /dev/null || { echo "Fetching nginx ..."; cd .venv && \
	  apt-get download -qq nginx 2> /dev/null && dpkg -x nginx_*.deb nginx && rm nginx_*.deb; } || { \
	  echo "nginx is needed and could not be fetched; as root: apt-get install nginx" >&2; exit 1; }

# A test makes a bare Debian with it, which only root can.
debootstrap:
	@[ "$$(id -u)" != 0 ] || PATH="$$PATH:/usr/sbin" command -v debootstrap > /dev/null || \
	  $(call install,debootstrap)

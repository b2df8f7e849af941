# SPDX-License-Identifier: GPL-3.0-or-later
# Every entry point of Richtfest. `make help` lists them.

ifeq ($(origin CC),default)
CC       := gcc
endif
PKGS     := blkid fdisk libcurl yaml-0.1 libvirt libvirt-qemu jansson uuid libxml-2.0 libcrypto libisofs-1
BUILD    ?= build
export BUILD
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr
PYTHON   := /usr/bin/python3
VERSION  := $(shell cat VERSION)
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
# Targets that need `deps` first call make again: these are read when make starts, and pkg-config may be missing until then.
CPPFLAGS := -I. -D_GNU_SOURCE -DRF_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS     := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread
MAKEFLAGS += --no-print-directory
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(HARDEN) -MMD -MP

ROOMS    := base profiles raid postinstall image installer
SOURCES  := $(foreach room,$(ROOMS),$(sort $(wildcard $(room)/*.c)))
FORMATTED := $(foreach room,$(ROOMS),$(wildcard $(room)/*.[ch])) $(wildcard tests/unit/*.h tests/unit/*/*.[ch])
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
MAIN     := $(BUILD)/installer/main.o
LIBRARY  := $(BUILD)/librichtfest.a
PROGRAM  := $(BUILD)/richtfest

help:
	@sed -n 's/^## //p' Makefile

## make run       installs what is missing, builds everything, and brings the sample customer's server up in QEMU
run: deps
	$(MAKE) iso
	$(PYTHON) tests/lab/run.py start

## make stop      ends that server
stop:
	$(PYTHON) tests/lab/run.py stop

## make test      the whole suite: unit, command line, and whole machines in QEMU (under 40 minutes)
test: deps
	$(MAKE) $(PROGRAM) unit-build
	$(MAKE) iso
	$(PYTHON) tests/all.py

## make unit | cli | lab-core   the parts of it
unit: unit-build
	$(PYTHON) tests/all.py unit

cli: $(PROGRAM)
	$(PYTHON) tests/all.py cli

lab-core: iso
	$(PYTHON) tests/all.py lab

## make lab       every machine in QEMU: those of make test, and the long ones besides
lab: deps
	@tests/deps.sh tests/lab/long-packages.txt
	$(MAKE) iso
	$(PYTHON) -m pytest -q -rs -p no:cacheprovider tests/lab

## make recipe-lab RECIPE=NAME   that recipe's image in QEMU with its seed, without a node; its directory beside it (PROFILE= GUEST= RECIPES=DIR KEEP=1)
recipe-lab: $(PROGRAM)
	@$(if $(RECIPE),,echo "make recipe-lab RECIPE=NAME; there are: $$(ls postinstall/recipes | tr '\n' ' ')" >&2; exit 2)
	$(PYTHON) tests/lab/recipe_lab.py $(RECIPE) $(if $(PROFILE),--profile $(PROFILE)) $(if $(GUEST),--guest $(GUEST)) \
	  $(if $(RECIPES),--recipes $(RECIPES)) $(if $(ONCE),--once) $(if $(KEEP),--keep)

## make iso       build/richtfest.iso (MIRROR=URL, SUITE=trixie, CACHE=DIR, RECIPE=NAME,…, ARTEFACTS=DIR, ARTEFACT_MIRROR=URL)
iso: $(PROGRAM)
	$(PROGRAM) image build --output $(BUILD)/richtfest.iso --cache $(or $(CACHE),$(BUILD)/cache) \
	  $(if $(MIRROR),--mirror $(MIRROR)) $(if $(SUITE),--suite $(SUITE)) $(if $(RECIPE),--recipe $(RECIPE)) \
	  $(if $(ARTEFACTS),--artefacts $(ARTEFACTS)) $(if $(ARTEFACT_MIRROR),--artefact-mirror $(ARTEFACT_MIRROR))

## make bench     the figures of docs/benchmarks.md
bench: deps
	$(MAKE) iso
	$(PYTHON) tests/bench/bench.py

## make deps      installs the Debian packages of packages.txt and tests/lab/packages.txt that are missing, after saying which
deps:
	@tests/deps.sh

## make lint      formatting, static analysis, the rules of the house
lint:
	@tests/deps.sh packages.txt tests/lint/packages.txt
	$(MAKE) lint-now

lint-now:
	clang-format --dry-run -Werror $(FORMATTED)
	$(PYTHON) tests/lint/rooms.py
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -I. --enable=warning,performance,portability \
	  --suppress=missingIncludeSystem --suppressions-list=tests/lint/cppcheck.txt -j2 $(ROOMS)
	$(MAKE) CC=clang BUILD=$(BUILD)/clang all
	$(MAKE) docs-check

## make format    rewrites the sources as clang-format wants them
format:
	clang-format -i $(FORMATTED)

## make asan      the unit tests under AddressSanitizer and UBSan
asan:
	$(MAKE) BUILD=$(BUILD)/asan CFLAGS="-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover" \
	  HARDEN= LDFLAGS="-fsanitize=address,undefined" unit

## make docs      the generated reference pages
docs: $(PROGRAM)
	$(PROGRAM) docs profile >docs/reference/profile.md
	$(PROGRAM) docs profile-schema >docs/reference/profile.schema.json

docs-check: $(PROGRAM)
	@$(PROGRAM) docs profile | cmp -s - docs/reference/profile.md || { echo "docs/reference/profile.md is old: make docs"; exit 1; }
	@$(PROGRAM) docs profile-schema | cmp -s - docs/reference/profile.schema.json || \
	  { echo "docs/reference/profile.schema.json is old: make docs"; exit 1; }

## make install   DESTDIR= PREFIX=/usr
install: $(PROGRAM)
	install -D -m 0755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/richtfest
	install -d $(DESTDIR)$(PREFIX)/share/richtfest
	cp -a postinstall/recipes $(DESTDIR)$(PREFIX)/share/richtfest/
	if [ -d image/data/keys ]; then cp -a image/data/keys $(DESTDIR)$(PREFIX)/share/richtfest/; fi

all: $(PROGRAM)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC -c $<"
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

$(LIBRARY): $(filter-out $(MAIN),$(OBJECTS))
	@rm -f $@
	@ar rcs $@ $^

$(PROGRAM): $(MAIN) $(LIBRARY)
	@echo "  LD $@"
	@$(CC) $(ALL_CFLAGS) $^ $(LIBS) $(LDFLAGS) -o $@

# One test program per tests/unit/<room>/test_<file>.c, named after the file that it tests.
UNIT_SOURCES := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(BUILD)/%)

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  CC -o $@"
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $< $(LIBRARY) $(LIBS) -lcmocka $(LDFLAGS) -o $@

unit-build: $(UNIT_TESTS)

clean:
	rm -rf $(BUILD)

.PHONY: help all run stop test unit cli lab-core lab recipe-lab iso bench deps lint lint-now format asan docs docs-check install unit-build clean
.DEFAULT_GOAL := help
-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d)

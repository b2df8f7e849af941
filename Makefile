# SPDX-License-Identifier: GPL-3.0-or-later
# Every entry point of Richtfest. `make help` lists them.

CC       ?= gcc
PKGS     := blkid fdisk libcurl yaml-0.1 libvirt libvirt-qemu jansson uuid libxml-2.0 libcrypto libisofs-1
BUILD    ?= build
CFLAGS   ?= -O2 -g
VERSION  := $(shell cat VERSION)
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CPPFLAGS += -I. -D_GNU_SOURCE -DRF_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS))
LIBS     := $(shell pkg-config --libs $(PKGS)) -lpthread
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(HARDEN) -MMD -MP

ROOMS    := base profiles raid postinstall image installer
SOURCES  := $(foreach room,$(ROOMS),$(sort $(wildcard $(room)/*.c)))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
MAIN     := $(BUILD)/installer/main.o
LIBRARY  := $(BUILD)/librichtfest.a
PROGRAM  := $(BUILD)/richtfest

all: $(PROGRAM)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

$(LIBRARY): $(filter-out $(MAIN),$(OBJECTS))
	rm -f $@
	ar rcs $@ $^

$(PROGRAM): $(MAIN) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $^ $(LIBS) $(LDFLAGS) -o $@

# One test program per tests/unit/<room>/test_<file>.c, named after the file that it tests.
UNIT_SOURCES := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(BUILD)/%)

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $< $(LIBRARY) $(LIBS) -lcmocka $(LDFLAGS) -o $@

unit-build: $(UNIT_TESTS)

unit: $(UNIT_TESTS)
	@for t in $^; do $$t || exit 1; done

clean:
	rm -rf $(BUILD)

.PHONY: all unit unit-build clean
-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d)

# SPDX-License-Identifier: GPL-2.0-or-later
# make help lists the targets. V=1 shows commands, O=DIR builds elsewhere, WERROR=0 keeps warnings warnings.

VERSION := 0.1.0
O ?= build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib/vcpulat
SHAREDIR ?= $(PREFIX)/share/vcpulat
CC ?= gcc
CFLAGS ?= -O2 -g
WERROR ?= 1
BUSYBOX ?= /bin/busybox

.DEFAULT_GOAL := all
Q := $(if $(V),,@)
# As many at once as there are CPUs, where the user did not say.
jobs = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2);)

warnings := -Wall -Wextra -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition \
	-Wredundant-decls -Wnested-externs -Wundef -Wwrite-strings -Wshadow -Wvla $(if $(filter 1,$(WERROR)),-Werror)
flags := -std=gnu11 -D_GNU_SOURCE -DVCPULAT_VERSION='"$(VERSION)"' -I. -MMD -MP $(warnings) $(EXTRA_CFLAGS)

packages := libvirt libvirt-qemu libtracefs libtraceevent libtracecmd yaml-0.1 jansson gsl libcrypto
lib_cflags = $(shell pkg-config --cflags $(packages))
lib_flags = $(shell pkg-config --libs $(packages)) -lm -lpthread
agent_libs := -ljansson -lpthread

common := $(wildcard common/*.c)
agent_common := $(filter-out common/schema%.c common/options.c common/crypto.c,$(common))
agent_only := $(wildcard agents/*.c agents/stimuli/*.c guest/bare/*.c)
agent := $(agent_only) $(agent_common)
meter := $(wildcard host/meter/*.c)
tool := $(wildcard host/*.c host/lab/*.c host/kernel/*.c reports/*.c reports/*/*.c) $(common)
units := $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/test_*.c))
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

all: $(O)/vcpulat $(O)/vcpulat-agent $(O)/vcpulat-meter.so $(O)/guest.cpio.gz $(O)/lab.cpio.gz ## build everything

$(O)/obj/host/meter/%.o: flags += -fPIC
# Copied into a guest in which there is nothing else, wherever that is.
$(O)/obj/guest/bare/%.o: override CFLAGS += -O2 -ffreestanding -fPIC -fno-sanitize=all -fno-stack-protector \
	-fcf-protection=none -mgeneral-regs-only -mno-red-zone
$(O)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(flags) $(lib_cflags) $(CFLAGS) -c -o $@ $<

$(O)/vcpulat: $(call obj,$(tool))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(lib_flags)

$(O)/vcpulat-agent: $(call obj,$(agent))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $^ $(agent_libs)

$(O)/vcpulat-meter.so: $(call obj,$(meter))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^

$(O)/guest.cpio.gz: $(O)/vcpulat-agent images/initramfs/build.sh
	$(call say,CPIO,$@)images/initramfs/build.sh guest $@ $<

$(O)/lab.cpio.gz: images/initramfs/build.sh images/initramfs/lab-init.sh images/initramfs/lab-services.sh
	$(call say,CPIO,$@)images/initramfs/build.sh lab $@ $(BUSYBOX)

# Unit tests: one program each, against everything but main().
$(O)/unit/%: $(O)/obj/tests/unit/%.o $(call obj,$(filter-out host/main.c,$(tool)) $(filter-out agents/main.c,$(agent_only)) $(meter))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(lib_flags) -lcmocka

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)

demo: ## the demonstration: two host kernels, one patch, what a guest loses and what is left
	$(Q)images/packages.sh demo
	$(Q)$(MAKE) --no-print-directory $(jobs) all
	$(Q)$(O)/vcpulat kernel build stock vmstat-skip-isolated
	$(Q)$(O)/vcpulat lab --host-kernel stock --host-kernel vmstat-skip-isolated $(DEMO) \
		vmstat-host vmstat-guest stat-refresh

check: ## build with warnings as errors, unit, command-line and lab tests
	$(Q)images/packages.sh check
	$(Q)$(MAKE) --no-print-directory $(jobs) all units
	$(Q)tests/run.sh $(O)

check-all: all ## every scenario on its arms, as a matrix: hours (SCENARIOS=, ARMS=, GUESTS= choose some)
	$(Q)images/packages.sh check
	$(Q)tests/matrix.sh $(O)

units: $(units)

check-unit: all units ## unit tests only
	$(Q)tests/run.sh $(O) unit

check-asan: ## unit tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory $(jobs) O=$(O)-asan EXTRA_CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all' units
	$(Q)tests/run.sh $(O)-asan unit

coverage: all $(addprefix $(O)/unit/test_,statistics difference compare) ## how often each interval holds the truth, and how often nothing is called a difference
	$(Q)for test in statistics difference compare; do \
		VCPULAT_LONG_TESTS=1 $(O)/unit/test_$$test >$(O)/coverage.log 2>&1 || { cat $(O)/coverage.log; exit 1; }; \
		grep -E '^(coverage|false positives|A/A)' $(O)/coverage.log; \
	done

fuzz: ## every fuzzer for FUZZ_SECONDS (30)
	$(Q)PACKAGES='$(packages)' tests/fuzz/run.sh $(O)-fuzz $(or $(FUZZ_SECONDS),30)

$(O)/bench_trace: $(call obj,tests/bench/bench_trace.c $(filter-out host/main.c,$(tool)))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(lib_flags)

bench: all $(O)/bench_trace ## ratios against peers on this machine, and what the instruction meter costs
	$(Q)tests/bench/run.sh $(O)
	$(Q)tests/bench/meter.sh $(O)

format-check: ## the layout of all C files
	$(Q)clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')

check-docs: ## every public function is documented in its header
	$(Q)tests/check-docs.sh

lint: ## static analysis: cppcheck and gcc's analyzer
	$(Q)PACKAGES='$(packages)' tests/lint.sh $(O)-lint

install: all ## into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR) $(DESTDIR)$(SHAREDIR)
	install $(O)/vcpulat $(DESTDIR)$(BINDIR)
	install $(O)/vcpulat-agent $(O)/vcpulat-meter.so $(DESTDIR)$(LIBDIR)
	install -m 644 $(O)/guest.cpio.gz $(O)/lab.cpio.gz $(DESTDIR)$(LIBDIR)
	cp -r scenarios guest $(DESTDIR)$(SHAREDIR)
	cp -rT images/kernels $(DESTDIR)$(SHAREDIR)/kernels
	cp -rT reports/html $(DESTDIR)$(SHAREDIR)/html
	cp -rT reports/schema $(DESTDIR)$(SHAREDIR)/schema

clean: ## remove what was built here; caches stay
	rm -rf $(O) $(O)-asan $(O)-fuzz $(O)-lint

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s@

.PHONY: all demo check check-all units check-unit check-asan coverage fuzz bench format-check check-docs lint install \
	clean help

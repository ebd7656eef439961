# SPDX-License-Identifier: MIT
# The front door. CMake and Ninja do the work; every target here is one line of tools/.
BUILD ?= build/release
PREFIX ?= /usr/local
.PHONY: all run test check bench crash fuzz lint install clean

all:
	tools/setup.sh build
	tools/build.sh $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX)

run: all
	exec $(BUILD)/postern dev --mail share/sample

test check:
	tools/test.sh

lint: all
	BUILD=$(CURDIR)/$(BUILD) SOURCE=$(CURDIR) tools/lint.sh

bench:
	tools/setup.sh bench
	tools/build.sh $(BUILD)
	BUILD=$(CURDIR)/$(BUILD) bench/run.sh

# the plug pulled 2,000 times, and what else can happen to a store
crash:
	tools/setup.sh test
	tools/crash.sh

# make fuzz SECONDS=600: each target so long
fuzz:
	tools/setup.sh test
	tools/fuzz.sh $(or $(SECONDS),300)

install: all
	cmake --install $(BUILD)

clean:
	rm -rf build

# postcard: build, test, install.  `make help` lists the targets.
#
# Objects go to $(BUILD).  Each folder of src/ becomes one archive; the program links them all, a
# unit test links its own folder and the floors below, so that a call upwards does not link.
# Tests, fuzzing, benchmarks and lint are in tests/tests.mk.

SAN     ?=
BUILD   ?= build$(if $(SAN),-san)
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
DEPS    ?= 1
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
ifeq ($(origin CC),default)
CC      := gcc
endif

VERSION := 0.1.0
DEB_VERSION    ?= $(VERSION)-1
DEB_MAINTAINER ?= $(or $(DEBFULLNAME),postcard maintainers) <$(or $(DEBEMAIL),postcard@postcard.example)>

FLOOR_0 := base
FLOOR_1 := capture decode stream mail record
FLOOR_2 := flow ident finding
FLOOR_3 := judge enrich sink
FLOOR_4 := engine
FLOOR_5 := app
FLOORS  := 0 1 2 3 4 5
FOLDERS := $(foreach f,$(FLOORS),$(FLOOR_$f))

WERROR ?= -Werror
WARN   := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 $(WERROR)
OPT    ?= -O2 -g
HARD   := $(if $(findstring -O0,$(OPT)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
# The program is optimised as a whole (5 to 9 % less time); objects are ordinary ones too, so that
# tests link with their floors only and at once.
LTO    ?= $(if $(SAN)$(findstring clang,$(CC))$(findstring afl,$(CC))$(findstring -O0,$(OPT))$(findstring -O1,$(OPT)),,-flto=auto)
CFLAGS_ALL  = -std=c11 -D_GNU_SOURCE -DPOSTCARD_VERSION='"$(VERSION)"' \
              -Isrc -I$(BUILD)/gen $(WARN) $(OPT) $(if $(SAN),-fsanitize=$(SAN) \
              -fno-sanitize-recover=all -fno-omit-frame-pointer,$(HARD)) $(if $(LTO),$(LTO) -ffat-lto-objects) $(CPPFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(if $(LTO),-fno-lto) $(if $(SAN),-fsanitize=$(SAN),-pie -Wl,-z,relro,-z,now) $(LDFLAGS)
LDLIBS_ALL  = -lpcap -lndpi -lmaxminddb -lyaml -lpcre2-8 -lsqlite3 -lssl -lcrypto -lz -lseccomp -lcap-ng -lm $(LDLIBS)
FLAGS       = $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(LDLIBS_ALL)

# Debian packages
DEB_PACKAGES   := dpkg-dev
BUILD_PACKAGES := gcc libc6-dev libpcap-dev libndpi-dev libmaxminddb-dev libyaml-dev libpcre2-dev libsqlite3-dev libssl-dev zlib1g-dev libseccomp-dev libcap-ng-dev
TEST_PACKAGES  := libcmocka-dev ethtool ieee-data iproute2 python3 python3-yaml python3-jsonschema tcpdump $(DEB_PACKAGES) logrotate mandoc systemd
LINT_PACKAGES  := clang-format clang-tidy cppcheck python3
FUZZ_PACKAGES  := clang libclang-rt-dev

# ---------------------------------------------------------------------------------- the program

sources  = $(sort $(wildcard src/$1/*.c))
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$1))
archive  = $(if $(call sources,$1),$(BUILD)/lib/$1.a)
# the archives of the floors below the folder $1, the highest first, as a linker wants them
reverse  = $(if $1,$(call reverse,$(wordlist 2,$(words $1),$1)) $(firstword $1))
floor_of = $(foreach f,$(FLOORS),$(if $(filter $1,$(FLOOR_$f)),$f))
below    = $(foreach f,$(call reverse,$(wordlist 1,$(call floor_of,$1),$(FLOORS))),$(foreach d,$(FLOOR_$f),$(call archive,$d)))

ARCHIVES := $(foreach d,$(call reverse,$(FOLDERS)),$(call archive,$d))
OBJECTS  := $(foreach d,$(FOLDERS),$(call objects,$d))
# the files of rules/, which the program carries within itself (src/judge/shipped.c)
SHIPPED  := $(sort $(wildcard rules/*.yml rules/*/*.yml))
EMBEDDED := $(BUILD)/gen/rules.inc
PROGRAM  := $(if $(wildcard src/app/main.c),$(BUILD)/postcard)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

all: $(ARCHIVES) $(PROGRAM) $(if $(PROGRAM),$(BUILD)/postcard.1 $(if $(filter build,$(BUILD)),postcard)) ## build the program (build/postcard, and a link ./postcard)

# A change of compiler or flags builds everything anew; a change of the list of sources, its archive.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(FLAGS))' > $@
$(BUILD)/lib/%.list: FORCE
	$(Q)mkdir -p $(@D); echo $(call objects,$*) | cmp -s - $@ || echo $(call objects,$*) > $@

$(BUILD)/%.o: %.c $(BUILD)/flags | $(EMBEDDED)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $<")
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/gen/rules.list: FORCE
	$(Q)mkdir -p $(@D); echo $(SHIPPED) | cmp -s - $@ || echo $(SHIPPED) > $@
$(EMBEDDED): $(SHIPPED) $(BUILD)/gen/rules.list
	$(Q)n=0; { for f in $(SHIPPED); do n=$$((n + 1)); \
	    echo "static const unsigned char file_$$n[] = {"; \
	    od -An -v -tu1 $$f | sed 's/\([0-9]\)\( \|$$\)/\1,/g'; echo '};'; done; \
	  n=0; echo 'static const struct shipped files[] = {'; for f in $(SHIPPED); do n=$$((n + 1)); \
	    echo "FILE_AT(\"$$f\", file_$$n)"; done; echo '};'; } > $@

define archive_rule
$(BUILD)/lib/$1.a: $(call objects,$1) $(BUILD)/lib/$1.list
	@mkdir -p $$(@D)
	$(if $(Q),@echo "  AR    $$@")
	$(Q)rm -f $$@ && $(AR) rcs $$@ $(call objects,$1)
endef
$(foreach d,$(FOLDERS),$(if $(call sources,$d),$(eval $(call archive_rule,$d))))

$(BUILD)/postcard: $(ARCHIVES)
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) $(if $(LTO),$(LTO) $(OPT) $(HARD)) -o $@ $(ARCHIVES) $(LDLIBS_ALL)

postcard: | $(BUILD)/postcard
	$(Q)ln -sf $(BUILD)/postcard $@

-include $(OBJECTS:.o=.d)

# ------------------------------------------------------------------------------ install, and show

$(BUILD)/postcard.1: $(BUILD)/postcard $(wildcard src/app/postcard.1.in)
	$(Q)$< --print-man > $@

SERVICE := src/app/service
install: all ## install under PREFIX (/usr/local) and SYSCONFDIR (/etc), below DESTDIR where that is given
	install -d $(sort $(dir $(SHIPPED:%=$(DESTDIR)$(PREFIX)/share/postcard/%)))
	for f in $(SHIPPED); do install -m 644 $$f $(DESTDIR)$(PREFIX)/share/postcard/$$f || exit 1; done
	install -D -m 755 $(BUILD)/postcard $(DESTDIR)$(PREFIX)/bin/postcard
	install -D -m 644 $(BUILD)/postcard.1 $(DESTDIR)$(PREFIX)/share/man/man1/postcard.1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(BUILD)/postcard --print-completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/postcard
	install -D -m 644 $(SERVICE)/postcard.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/postcard.conf
	install -D -m 644 $(SERVICE)/postcard.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/postcard.conf
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed -e 's|@BINDIR@|$(PREFIX)/bin|' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' $(SERVICE)/postcard.service.in \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/postcard.service
	install -D -m 644 $(SERVICE)/postcard.logrotate $(DESTDIR)$(SYSCONFDIR)/logrotate.d/postcard
	[ -e $(DESTDIR)$(SYSCONFDIR)/postcard/postcard.yaml ] || \
	    install -D -m 644 $(SERVICE)/postcard.yaml $(DESTDIR)$(SYSCONFDIR)/postcard/postcard.yaml

uninstall: ## take away what install put there, but the configuration
	rm -f $(DESTDIR)$(PREFIX)/bin/postcard $(DESTDIR)$(PREFIX)/share/man/man1/postcard.1 \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/postcard \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d/postcard.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/postcard.conf \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/postcard.service $(DESTDIR)$(SYSCONFDIR)/logrotate.d/postcard
	rm -rf $(DESTDIR)$(PREFIX)/share/postcard/rules

deb: ## build the Debian package build/postcard_VERSION_ARCH.deb (DEB_VERSION, DEB_MAINTAINER)
	@$(MAKE) --no-print-directory deps PACKAGES='$(BUILD_PACKAGES) $(DEB_PACKAGES)'
	@$(MAKE) --no-print-directory all
	@rm -rf $(BUILD)/deb && umask 022 && $(MAKE) --no-print-directory -s install \
	    DESTDIR=$(BUILD)/deb PREFIX=/usr SYSCONFDIR=/etc
	@umask 022 && $(SERVICE)/debian/build.sh $(BUILD)/deb '$(DEB_VERSION)' '$(DEB_MAINTAINER)' $(BUILD)

demo: ## install what is missing, build, and replay pcaps/ (DEPS=0: touch nothing outside)
	@$(MAKE) --no-print-directory deps PACKAGES='$(BUILD_PACKAGES)'
	@$(MAKE) --no-print-directory all
	$(BUILD)/postcard -r pcaps/*.pcap*

PACKAGES ?= $(BUILD_PACKAGES) $(TEST_PACKAGES)
deps: ## install the Debian packages that building and testing need
	@tests/tools/deps '$(DEPS)' $(sort $(PACKAGES))

geoip: ## fetch a country database that may be used freely (GEOIP_DIR=folder)
	@src/enrich/fetch-geoip.sh $(GEOIP_DIR)

clean: ## remove what was built (build, build-*)
	rm -rf build build-* postcard
	@find tests -name __pycache__ -prune -exec rm -rf {} +

help: ## list the targets
	@echo 'make targets:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile tests/tests.mk | expand -t 16
	@echo 'variables, with what they are now:'
	@echo '  DEPS=$(DEPS)           0: install no packages'
	@echo '  BUILD=$(BUILD)      where objects and programs go'
	@echo '  CC=$(CC) CFLAGS CPPFLAGS LDFLAGS OPT="$(OPT)" SAN=$(SAN) (address,undefined)'
	@echo '  PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) DESTDIR=$(DESTDIR)'
	@echo '  V=$(V)              1: show the commands'

FORCE:
.PHONY: all install uninstall deb demo deps geoip clean help FORCE

include tests/tests.mk

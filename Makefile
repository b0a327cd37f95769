# postcard: build, test, install.  `make help` lists the targets.
#
# Objects go to $(BUILD).  Each folder of src/ becomes one archive; a program or unit test links
# its own floor and the floors below, so that a call upwards does not link (see FLOOR_*).

BUILD   ?= build
CC      ?= cc
PREFIX  ?= /usr/local
DESTDIR ?=
DEPS    ?= 1
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)

VERSION := 0.1.0

FLOOR_0 := base
FLOOR_1 := capture decode stream mail record
FLOOR_2 := flow ident finding
FLOOR_3 := judge enrich sink
FLOOR_4 := engine
FLOOR_5 := app
FOLDERS := $(FLOOR_0) $(FLOOR_1) $(FLOOR_2) $(FLOOR_3) $(FLOOR_4) $(FLOOR_5)

WARN := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Werror
HARD := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
OPT  ?= -O2 -g
CFLAGS_ALL  = -std=c11 -D_GNU_SOURCE -DPOSTCARD_VERSION='"$(VERSION)"' -Isrc -I$(BUILD)/gen $(WARN) $(OPT) \
              $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer,$(HARD)) -MMD -MP $(CFLAGS)
LDFLAGS_ALL = $(if $(SAN),-fsanitize=$(SAN),-pie -Wl,-z,relro,-z,now) $(LDFLAGS)
LDLIBS_ALL  = -lpcap -lndpi -lmaxminddb -lyaml -lcrypto -lz -lm $(LDLIBS)

include tests/tests.mk

.DEFAULT_GOAL := all

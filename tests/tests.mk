# Tests, fuzzing, benchmarks, lint: included by the Makefile.
#
# tests/unit/FOLDER_FILE_test.c links src/FOLDER and the floors below it, nothing else.
# tests/fuzz/fuzz_NAME.c (LLVMFuzzerTestOneInput) links everything but src/app, twice: with
# tests/fuzz/replay.c, which runs the files of tests/fuzz/corpus/NAME in `make test`, and with
# libFuzzer for `make fuzz TARGET=NAME`.

TESTS   := $(sort $(wildcard tests/unit/*_test.c))
UNITS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TESTS))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS := $(if $(wildcard tests/fuzz/replay.c),$(patsubst %,$(BUILD)/tests/fuzz/replay_%,$(FUZZERS)))
ENGINE_ARCHIVES = $(filter-out $(BUILD)/lib/app.a,$(ARCHIVES))

define unit_rule
$(BUILD)/tests/unit/$1: $(BUILD)/tests/unit/$1.o $(call archive,$2) $(call below,$2)
	$(if $(Q),@echo "  LINK  $$@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $$@ $$(filter %.o %.a,$$^) -lcmocka $(LDLIBS_ALL)
endef
$(foreach t,$(notdir $(UNITS)),$(eval $(call unit_rule,$t,$(firstword $(subst _, ,$t)))))

define replay_rule
$(BUILD)/tests/fuzz/replay_$1: $(BUILD)/tests/fuzz/fuzz_$1.o $(BUILD)/tests/fuzz/replay.o $(ENGINE_ARCHIVES)
	$(if $(Q),@echo "  LINK  $$@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $$@ $$(filter %.o %.a,$$^) $(LDLIBS_ALL)
endef
$(foreach f,$(FUZZERS),$(eval $(call replay_rule,$f)))

-include $(patsubst tests/%.c,$(BUILD)/tests/%.d,$(TESTS) $(wildcard tests/fuzz/*.c tests/bench/*.c))

tests: all $(UNITS) $(REPLAYS) ## build the tests, run nothing

test: ## install what is missing, build, run all tests (ONLY=part of a name runs some)
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory tests
	@tests/tools/run-tests --build $(BUILD) $(if $(ONLY),--only '$(ONLY)')

test-long: ## the tests, then those that take minutes or need root (a bare chroot)
	@$(MAKE) --no-print-directory test
	@tests/tools/run-tests --build $(BUILD) --long

sanitize: ## build with AddressSanitizer and UBSan, and run the tests
	@$(MAKE) --no-print-directory test BUILD=build-san SAN=address,undefined OPT='-O1 -g'

.PHONY: tests test test-long sanitize

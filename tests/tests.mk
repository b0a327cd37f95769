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
FLOOD   := $(BUILD)/tests/fire/flood
BENCH   := $(if $(wildcard tests/bench/gen_mail_pcap.c),$(patsubst %,$(BUILD)/tests/bench/%,gen_mail_pcap pcap_null))

define unit_rule
$(BUILD)/tests/unit/$1: $(BUILD)/tests/unit/$1.o $(call archive,$2) $(call below,$2)
	$(if $(Q),@echo "  LINK  $$@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $$@ $$(filter %.o %.a,$$^) -lcmocka $(LDLIBS_ALL)
endef
$(foreach t,$(notdir $(UNITS)),$(eval $(call unit_rule,$t,$(firstword $(subst _, ,$t)))))

# The program with a planted crash and a planted hang, for the tests of its workers.
PLANTED := $(BUILD)/tests/planted/postcard
$(BUILD)/tests/planted/feed.o: src/engine/feed.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $< (planted)")
	$(Q)$(CC) $(CFLAGS_ALL) -DPOSTCARD_PLANTED -MMD -MP -c -o $@ $<
$(PLANTED): $(BUILD)/tests/planted/feed.o $(ARCHIVES)
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(ARCHIVES) $(LDLIBS_ALL)

define replay_rule
$(BUILD)/tests/fuzz/replay_$1: $(BUILD)/tests/fuzz/fuzz_$1.o $(BUILD)/tests/fuzz/replay.o $(ENGINE_ARCHIVES)
	$(if $(Q),@echo "  LINK  $$@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $$@ $$(filter %.o %.a,$$^) $(LDLIBS_ALL)
endef
$(foreach f,$(FUZZERS),$(eval $(call replay_rule,$f)))

# whole captures, damaged by chance, through the target of captures
MUTATE := $(BUILD)/tests/fuzz/mutate
$(MUTATE): $(BUILD)/tests/fuzz/mutate.o $(BUILD)/tests/fuzz/fuzz_capture.o $(ENGINE_ARCHIVES)
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o %.a,$^) $(LDLIBS_ALL)

# the floods of tests/fire
$(FLOOD): $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/fire/flood*.c)))
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

# drives the syslog sink for tests/cli/test_syslog.py
PUSH := $(BUILD)/tests/syslog/push
$(PUSH): $(BUILD)/tests/syslog/push.o $(call archive,sink) $(call below,sink)
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

-include $(BUILD)/tests/planted/feed.d
-include $(patsubst tests/%.c,$(BUILD)/tests/%.d,$(TESTS) $(wildcard tests/fuzz/*.c tests/bench/*.c tests/fire/*.c tests/syslog/*.c))

# objects that only these programs need are kept
.SECONDARY:

tests: all $(UNITS) $(BENCH) $(FLOOD) $(PUSH) $(PLANTED) ## build the tests and run nothing

# Replayers of fuzz inputs are worth having with sanitizers only, so they come from a build of their
# own, unless this build is one.
SANITIZED := $(if $(SAN),$(BUILD),build-san)
SAN_FLAGS := BUILD=$(SANITIZED) SAN=$(or $(SAN),address,undefined) OPT='-O1 -g'
replays: $(REPLAYS) $(MUTATE)

test: ## install what is missing, build, run all tests (ONLY=PART of a name runs some)
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory tests
	@$(if $(REPLAYS),$(MAKE) --no-print-directory replays $(SAN_FLAGS))
	@tests/tools/run-tests --build $(BUILD) --replays $(SANITIZED) $(if $(ONLY),--only '$(ONLY)')

test-long: ## the tests, then what takes minutes or root: floods, a bare chroot, a soak (POSTCARD_FIRE=0.1: smaller floods)
	@$(MAKE) --no-print-directory test
	@tests/tools/run-tests --build $(BUILD) --replays $(SANITIZED) --long

sanitize: ## build with AddressSanitizer and UBSan, and run the tests
	@$(MAKE) --no-print-directory test BUILD=build-san SAN=address,undefined OPT='-O1 -g'

# --------------------------------------------------------------------------------------- coverage

# Counters lie in a mapping of a file that all processes of a program share (%c, %m), so that workers
# count too, which have no file system and end by _exit; they are added to atomically.
COVER := -fprofile-instr-generate=$(abspath build-cov)/profile/%m%c.profraw
COVER_FLAGS := BUILD=build-cov CC=clang OPT='-O1 -g' LDFLAGS='$(COVER)' CFLAGS='$(COVER) -fcoverage-mapping \
    -fprofile-update=atomic -mllvm -runtime-counter-relocation -w'
COVER_GROUPS ?= unit,dialogue,pcap,cli,fire
coverage: ## lines and branches that the tests reach, by folder, and what decode, stream, mail and judge leave out
	@$(MAKE) --no-print-directory deps PACKAGES='$(BUILD_PACKAGES) $(TEST_PACKAGES) $(FUZZ_PACKAGES) llvm'
	@$(MAKE) --no-print-directory coverage-run $(COVER_FLAGS)

# with the flags, because tests call make, too
coverage-run: tests
	@rm -rf $(BUILD)/profile
	@tests/tools/run-tests --build $(BUILD) --groups $(COVER_GROUPS)
	@tests/tools/coverage $(BUILD)

# ------------------------------------------------------------------------------------------- fuzz

TARGET ?= $(firstword $(FUZZERS))
FUZZ_S ?= 60
fuzz: ## fuzz TARGET=NAME for FUZZ_S=60 seconds with libFuzzer; finds go to build-fuzz/
	@$(MAKE) --no-print-directory deps PACKAGES='$(BUILD_PACKAGES) $(FUZZ_PACKAGES)'
	@$(MAKE) --no-print-directory fuzz-run BUILD=build-fuzz CC=clang OPT='-O1 -g' \
	    SAN=fuzzer-no-link,address,undefined TARGET='$(TARGET)'

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(ENGINE_ARCHIVES)
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $(filter %.o %.a,$^) $(LDLIBS_ALL)

fuzz-run: $(BUILD)/tests/fuzz/fuzz_$(TARGET)
	@mkdir -p $(BUILD)/corpus/$(TARGET) $(BUILD)/found
	$< -max_total_time=$(FUZZ_S) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix=$(BUILD)/found/$(TARGET)- $(BUILD)/corpus/$(TARGET) $(wildcard tests/fuzz/corpus/$(TARGET))

afl: ## fuzz TARGET=NAME for FUZZ_S=60 seconds with AFL++, through the plain replayer
	@$(MAKE) --no-print-directory deps PACKAGES='$(BUILD_PACKAGES) $(FUZZ_PACKAGES) afl++'
	@AFL_USE_ASAN=1 AFL_USE_UBSAN=1 AFL_QUIET=1 $(MAKE) --no-print-directory build-afl/tests/fuzz/replay_$(TARGET) \
	    BUILD=build-afl CC=afl-clang-fast OPT='-O1 -g'
	@rm -rf build-afl/out/$(TARGET) && mkdir -p build-afl/out
	AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_COLOR=1 AFL_FORKSRV_INIT_TMOUT=20000 \
	    afl-fuzz -V $(FUZZ_S) -m none -t 5000 -i tests/fuzz/corpus/$(TARGET) -o build-afl/out/$(TARGET) -- \
	    build-afl/tests/fuzz/replay_$(TARGET) @@ >build-afl/$(TARGET).log 2>&1 || { tail -n 20 build-afl/$(TARGET).log; exit 1; }
	@grep -E '^(execs_done|saved_crashes|saved_hangs|corpus_found) ' build-afl/out/$(TARGET)/default/fuzzer_stats
	@grep -qE '^saved_crashes *: 0$$' build-afl/out/$(TARGET)/default/fuzzer_stats

# ------------------------------------------------------------------------------------------ bench

BENCH_DATA ?= $(BUILD)/bench-data
BENCH_PROFILES ?= mail span lossy tiny manyflows
BENCH_OPTIONS ?= --peers
$(BUILD)/tests/bench/gen_mail_pcap: $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/bench/gen_*.c)))
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lm
$(BUILD)/tests/bench/pcap_null: $(BUILD)/tests/bench/pcap_null.o
	$(if $(Q),@echo "  LINK  $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lpcap

bench: ## 1 GB of generated mail of each profile: counts against the truth, speed against libpcap's empty loop, a table of both
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all $(BENCH)
	@tests/bench/bench.py --build $(BUILD) --data $(BENCH_DATA) --bytes $(or $(BENCH_BYTES),1g) $(BENCH_OPTIONS) $(BENCH_PROFILES)

bench-quick: ## the same with 100 MB and 100,000 connections
	@$(MAKE) --no-print-directory bench BENCH_BYTES=100m BENCH_OPTIONS='--flows 100000'

bench-growth: ## the cost of a packet and of a flow, from 10 MB to 4 GB and from 1,000 to a million connections
	@$(MAKE) --no-print-directory bench BENCH_BYTES=10m BENCH_PROFILES=mail BENCH_OPTIONS='--growth --rules 0'

bench-live: ## as root: the highest rate without loss at a mirror port, beside tcpdump's on the same wire
	@$(MAKE) --no-print-directory deps PACKAGES='$(BUILD_PACKAGES) iproute2 python3 tcpdump tcpreplay'
	@$(MAKE) --no-print-directory all $(BENCH)
	@tests/lab/bench_live.py --build $(abspath $(BUILD))

# ------------------------------------------------------------------------------------------- lint

C_FILES := $(sort $(wildcard src/*/*.c tests/unit/*.c tests/fuzz/*.c tests/bench/*.c tests/fire/*.c tests/syslog/*.c))
H_FILES := $(sort $(wildcard src/*/*.h tests/unit/*.h tests/fuzz/*.h tests/bench/*.h tests/fire/*.h))
# the paths that clang's analyser walks end in asserts in unit tests, of which it knows nothing
TIDIED  := $(patsubst %.c,$(BUILD)/tidy/%,$(filter-out tests/unit/%,$(C_FILES)))
LINT_CC  = -D_GNU_SOURCE '-DPOSTCARD_VERSION="$(VERSION)"' -Isrc -I$(BUILD)/gen
lint: ## clang-format, the floors, cppcheck, clang-tidy (-k goes on to the next)
	@tests/tools/deps 0 $(sort $(LINT_PACKAGES) $(BUILD_PACKAGES) $(TEST_PACKAGES))
	@$(MAKE) --no-print-directory -j$(or $(LINT_JOBS),2) lint-format lint-floors lint-cppcheck lint-tidy
	@echo 'lint: all well'

lint-format:
	@clang-format --dry-run -Werror $(C_FILES) $(H_FILES)
lint-floors:
	@tests/tools/floors.py
# suppressed: an anonymous mapping takes -1, and is no leak; a buffer that is written before it is read
lint-cppcheck: $(EMBEDDED)
	@cppcheck --quiet --std=c11 --inline-suppr --error-exitcode=1 --library=posix \
	    --enable=warning,performance,portability --suppress=missingIncludeSystem \
	    --suppress=invalidFunctionArg:src/base/memory.c --suppress=memleak:src/base/memory.c \
	    --suppress=ctuuninitvar:src/mail/mime_words.c -D__x86_64__ $(LINT_CC) src
lint-tidy: $(TIDIED)
$(BUILD)/tidy/%: %.c $(H_FILES) .clang-tidy | $(EMBEDDED)
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=c11 $(LINT_CC) >$@.log 2>&1 || { grep -A 3 'error:' $@.log; exit 1; }
	@touch $@

.PHONY: tests test test-long sanitize coverage coverage-run replays fuzz fuzz-run afl bench bench-quick bench-live
.PHONY: lint lint-format lint-floors lint-cppcheck lint-tidy

# make           library and CLI            make demo     both demos, with a real nats-server
# make wasm      the WebAssembly modules    make test     everything; closes with one line
# make unit      unit tests: native, sanitized and as wasm in Node (unit-native, asan, unit-wasm)
# make check     unit tests, strict compile, format, arrows, symbols, publisher, builds, style, tidy on changed files
# make size      bytes of the modules, against their budgets
# make fmt       rewrites the layout        make tidy     clang-tidy on every file
# make fuzz T=parser S=60                   make bench    beside other clients (BENCH="--quick")
# make e2e conformance ws hosts tls browser lab npm modules one suite of make test each
# make traps cells consumers                               more: agents that trap; guests that loop, leak, break; who installs us
# make app APP=FILE.c                                     a program with agents of your own as a module, in build/wasm/app
# make package   the npm package, in build/package/natlet
# make wasm2c    the modules as programs, in build/wasm2c
# make install   library, headers, modules, command (DESTDIR, PREFIX=/usr/local); make uninstall
# make ws-mutants                                         plants faults that suite ws must see
# make oracle    traces of Erlang/OTP written anew (needs erlc)
# make serde-goldens                                      what serde_json accepts and writes (needs cargo)
# make conformance-table                                  writes the table of tests/conformance/README.md
# make hooks     the quick checks before each git commit  make clean
#
# Targets fetch the tools that they miss (sh wasm/setup.sh); what is there is used.
# Variables: CC CFLAGS B=build/other, and WASI_SDK_PATH NATS_SERVER CHROMIUM for tools of your own.

B       = build
CFLAGS  = -O2 -g
LDFLAGS =
WERROR  =
T       = parser
APP     =
S       = 60

STD  = -std=c11 -pedantic
WARN = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
       -Wundef -Wcast-qual -Wpointer-arith -Wwrite-strings -Wswitch-enum -Wformat=2 -Wimplicit-fallthrough
# The core sees no feature macro; what stands on an operating system sees POSIX.
INC  = -Iinclude -Isrc $(if $(filter $(DOORS),$<),$(THIRD_INC)) $(if $(filter $(PEER_C),$<),$(PEER_INC)) $(if $(filter-out src/%,$<),-I. -Itests -Ihost-shims -D_DEFAULT_SOURCE) \
       $(if $(filter tests/fuzz/%,$<),-Wno-missing-prototypes)
SAN  = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Third-party sources are compiled as they are, without our warnings: third/NAME.o from what third_NAME says.
# Only the doors to them see their headers.
MBEDTLS   = aes asn1parse asn1write base64 bignum bignum_core block_cipher chacha20 chachapoly constant_time \
            ecdh ecdsa ecp ecp_curves gcm hkdf md oid pem pk pk_ecc pk_wrap pkparse platform poly1305 psa_crypto \
            psa_crypto_aead psa_crypto_cipher psa_crypto_client psa_crypto_driver_wrappers_no_static psa_crypto_ecp psa_crypto_hash \
            psa_crypto_mac psa_crypto_rsa psa_crypto_slot_management psa_util rsa rsa_alt_helpers sha256 sha512 \
            ssl_ciphersuites ssl_client ssl_msg ssl_tls ssl_tls12_client ssl_tls13_client ssl_tls13_generic \
            ssl_tls13_keys x509 x509_crt
ZLIB      = deflate inffast inflate inftrees trees zutil
THIRD     = $(MBEDTLS:%=mbedtls_%) dropbear_curve25519 $(ZLIB:%=zlib_%)
DOORS     = src/crypto/ed25519.c src/crypto/sha512.c src/tls/engine.c src/tls/profile.c src/tls/platform.c \
            src/tls/verdict.c src/ws/deflate.c
THIRD_INC = -isystem $(call tool,MBEDTLS)/include -DMBEDTLS_CONFIG_FILE='"crypto/mbedtls_config.h"' \
            -Ibuild -include third/mbedtls_names.h -isystem $(call tool,ZLIB)
NAMES     = build/third/mbedtls_names.h
THIRD_DEP = src/crypto/mbedtls_config.h src/crypto/dropbear.h src/ws/zlib_names.h Makefile $(NAMES)
$(foreach m,$(MBEDTLS),$(eval third_mbedtls_$m = $$(call tool,MBEDTLS)/library/$m.c))
# What every byte goes through: 28 % more throughput as wasm, for 0.3 KB.
$(foreach m,chacha20 poly1305,$(eval third_mbedtls_$m = -O2 $(value third_mbedtls_$m)))
third_dropbear_curve25519 = -include crypto/dropbear.h $(call tool,DROPBEAR)/src/curve25519.c
$(foreach z,$(ZLIB),$(eval third_zlib_$z = -include ws/zlib_names.h $$(call tool,ZLIB)/$z.c))

# The other side of TLS, for tests alone: the same sources with the server's part, under names of their own.
PEER      = $(MBEDTLS) ssl_tls12_server ssl_tls13_server
PEER_INC  = -isystem $(call tool,MBEDTLS)/include -DMBEDTLS_CONFIG_FILE='"tests/peer/config.h"' -I. \
            -Ibuild -include third/peer_names.h
PEER_NAMES = build/third/peer_names.h
PEER_C    = tests/peer/peer.c
PEER_TESTS = t_tls t_tls_refusals

# A tool's path is looked up when a recipe runs, for a prerequisite may just have fetched it.
TOOLS = build/tools
tool  = $(shell sed -n 's/^$1=//p' $(TOOLS)/env 2>/dev/null)
ifeq ($(origin CC),default)
CC = $(call tool,NATIVE_CC)
endif
ifeq ($(origin AR),default)
AR = $(call tool,AR)
endif
include wasm/toolchain.mk

# Quiet, unless V=1; on all cores, unless told otherwise.
ifndef V
.SILENT:
endif
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc) --no-print-directory
endif

SRC     := $(filter-out src/platform/%,$(wildcard src/*/*.c))
PLATFORM := $(wildcard src/platform/*.c)
POSIX   := $(wildcard host-shims/posix/*.c)
# What of it a command module can use as well.
FILES   := host-shims/posix/files.c
CLI     := $(wildcard wasm/cli/*.c)
ENTRY   := $(wildcard wasm/*.c)
EMBED   := $(wildcard wasm/embed/*.c)
DEMO    := $(wildcard demo/agents/*.c)
LUNATIC := $(wildcard demo/lunatic/*.c)
DEMOS   := $(wildcard demo/shared/*.c)
# Modules of tests that are no programs: agents that trap, guests of a hub.
TRAPS   := $(wildcard tests/traps/*.c)
GUESTS  := $(wildcard tests/cells/*.c)
SUPPORT := $(wildcard tests/support/*.c)
UNIT    := $(wildcard tests/unit/t_*.c)
FUZZ    := $(wildcard tests/fuzz/f_*.c)
# Programs with main() that run natively and as wasm behind a host door: tests/conformance, tests/bench.
HOSTED  := $(wildcard tests/conformance/*.c tests/bench/*.c)
# What a supervisor does, beside what Erlang's did.
ORACLE  := $(wildcard tests/oracle/*.c)
C_NATIVE := $(SRC) $(POSIX) $(CLI) $(SUPPORT) $(UNIT) $(FUZZ) $(HOSTED) $(ORACLE) $(PEER_C) $(wildcard tests/tools/*.c)
C_WASM  := $(SRC) $(PLATFORM) $(ENTRY) $(EMBED) $(CLI) $(DEMO) $(LUNATIC) $(DEMOS) $(FILES) $(TRAPS) $(GUESTS)
C_ALL   := $(sort $(C_NATIVE) $(C_WASM))
# The host for modules as C: compiled by its own build.sh, against what wasm2c makes.
WASM2C_C := $(wildcard host-shims/wasm2c/*.c)
H_ALL   := $(wildcard include/*.h include/*/*.h src/*/*.h host-shims/*/*.h wasm/*.h wasm/*/*.h demo/*/*.h tests/*/*.h)

W         = $(B)/wasm
LIBS      = $(B)/libnatlet_posix.a $(B)/libnatlet.a
UNIT_BIN  = $(UNIT:tests/unit/%.c=$(B)/tests/%)
UNIT_WASM = $(UNIT:tests/unit/%.c=$(W)/tests/%.wasm)
HOSTED_BIN  = $(HOSTED:%.c=$(B)/%)
# The floor of the benchmark has sockets of its own: no host door, no module.  Agents are measured in a reactor.
HOSTED_WASM = $(filter-out %/bench/raw.wasm %/bench/agents.wasm,$(HOSTED:%.c=$(W)/%.wasm))
BENCH_WASM  = $(W)/bench/agents.wasm
MODULES   = $(if $(ENTRY),$(W)/natlet.wasm $(W)/natlet-core.wasm $(W)/natlet-tls.wasm) $(if $(CLI),$(W)/natlet-cli.wasm) \
            $(if $(DEMO),$(W)/demo-agents.wasm $(W)/demo-lunatic.wasm)
# What `make size` subtracts from each other: one program with less and more of the agents in it.
LAYERS    = $(W)/layer/client.wasm $(W)/layer/agents.wasm $(W)/layer/all.wasm
TEST_TOOLS = $(B)/tests/proto-dump $(B)/tests/auth-dump $(B)/tests/ws-echo
ORACLES   = $(B)/tests/otp-oracle $(W)/oracle/otp-oracle.wasm
UNITS_OF_FAILURE = $(W)/traps/traps.wasm $(GUESTS:tests/cells/%.c=$(W)/cells/%.wasm)

all: $(B)/libnatlet.a $(if $(POSIX),$(B)/libnatlet_posix.a) $(if $(CLI),$(B)/natlet)
wasm: $(MODULES)

# The npm package as it is published, in $(B)/package/natlet; beside it what its tests take from npm.
PACKAGE = $(B)/package/natlet
package: $(W)/natlet-core.wasm $(W)/natlet.wasm $(W)/natlet-cli.wasm
	@rm -rf $(PACKAGE) && mkdir -p $(PACKAGE)/wasm && cp -r host-shims/js/. $(PACKAGE)
	@cp LICENSE NOTICE $(PACKAGE) && cp $^ $(PACKAGE)/wasm
	@ln -sfn "$(abspath $(TOOLS)/npm/node_modules)" $(B)/package/node_modules

# ---- tools: a part's file changes only if what it says changes

$(TOOLS)/%.env: FORCE
	@sh wasm/setup.sh $*

# ---- native

$(B)/%.o: %.c Makefile $(TOOLS)/native.env
	@echo "  cc    $<" && mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(WERROR) $(CFLAGS) $(INC) -MMD -MP -c $< -o $@

$(B)/third/%.o: $(THIRD_DEP) $(TOOLS)/native.env
	@echo "  cc    $* (third party)" && mkdir -p $(@D)
	$(CC) $(STD) -w $(CFLAGS) -Isrc $(THIRD_INC) -c $(third_$*) -o $@
$(B)/third/peer/%.o: tests/peer/config.h $(PEER_NAMES) $(THIRD_DEP) $(TOOLS)/native.env
	@echo "  cc    $* (third party, for tests)" && mkdir -p $(@D)
	$(CC) $(STD) -w $(CFLAGS) -Isrc $(PEER_INC) -c $(call tool,MBEDTLS)/library/$*.c -o $@
$(B)/libpeer.a: $(PEER_C:%.c=$(B)/%.o) $(PEER:%=$(B)/third/peer/%.o)
$(PEER_TESTS:%=$(B)/tests/%) $(B)/tests/fuzz/f_tls: $(B)/libpeer.a
$(DOORS:%.c=$(B)/%.o) $(DOORS:%.c=$(W)/obj/%.o): $(NAMES)
$(DOORS:%.c=$(B)/strict/native/%.ok) $(DOORS:%.c=$(B)/strict/wasm/%.ok) $(DOORS:%.c=$(B)/tidy/%.ok): $(NAMES)

# Every name of Mbed TLS, functions and types alike, gets our prefix.
$(PEER_C:%.c=$(B)/%.o) $(PEER_C:%.c=$(W)/obj/%.o) $(PEER_C:%.c=$(B)/strict/native/%.ok): $(PEER_NAMES)
$(PEER_NAMES): $(NAMES)
	sed 's/natlet__/natlet__peer_/' $< >$@.$$$$ && mv $@.$$$$ $@
$(NAMES): $(TOOLS)/sources.env
	@mkdir -p $(@D)
	grep -ohE '\b(mbedtls|psa)_[a-z0-9_]+\b' $(call tool,MBEDTLS)/library/*.[ch] $(call tool,MBEDTLS)/include/*/*.h | \
	    sort -u | sed 's/.*/#define & natlet__&/' >$@.$$$$ && mv $@.$$$$ $@

$(B)/libnatlet.a: $(SRC:%.c=$(B)/%.o) $(THIRD:%=$(B)/third/%.o)
$(B)/libnatlet_posix.a: $(POSIX:%.c=$(B)/%.o)
$(B)/libsupport.a: $(SUPPORT:%.c=$(B)/%.o)
$(B)/lib%.a:
	@echo "  ar    $@" && mkdir -p $(@D) && rm -f $@
	$(AR) rcs $@ $^

$(B)/natlet: $(CLI:%.c=$(B)/%.o) $(LIBS)
	@echo "  link  $@" && mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -pthread -o $@

$(UNIT_BIN): $(B)/tests/%: $(B)/tests/unit/%.o $(B)/libsupport.a $(LIBS)
	@echo "  link  $@" && mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -pthread -o $@
$(HOSTED_BIN): %: %.o $(B)/libsupport.a $(LIBS)
	@echo "  link  $@" && mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -pthread -o $@
$(B)/tests/proto-dump $(B)/tests/auth-dump: $(B)/tests/%-dump: $(B)/tests/tools/%_dump.o $(B)/libnatlet.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@
# The client with another parser: its own stays in the archive.
$(B)/tests/ws-echo: $(B)/tests/tools/ws_echo.o $(LIBS)
	@echo "  link  $@" && mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -pthread -o $@
$(B)/tests/otp-oracle: $(ORACLE:%.c=$(B)/%.o) $(B)/libsupport.a $(B)/libnatlet.a
	@echo "  link  $@"
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@
$(B)/tests/fuzz/f_%: $(B)/tests/fuzz/f_%.o $(B)/libsupport.a $(B)/libnatlet.a
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer $^ -o $@

# ---- WebAssembly

$(W)/obj/%.o: %.c Makefile wasm/toolchain.mk $(TOOLS)/wasm.env
	@echo "  wasm  $<" && mkdir -p $(@D)
	$(WASM_CC) $(STD) $(WARN) $(WERROR) $(WASM_CFLAGS) $(INC) -MMD -MP -c $< -o $@

$(W)/obj/layer/agents.o: LAYER = -DAGENTS
$(W)/obj/layer/all.o: LAYER = -DAGENTS -DALL
$(LAYERS:$(W)/%.wasm=$(W)/obj/%.o): $(W)/obj/layer/%.o: tests/arch/layer.c Makefile wasm/toolchain.mk $(TOOLS)/wasm.env
	@mkdir -p $(@D)
	$(WASM_CC) $(STD) $(WARN) $(WERROR) $(WASM_CFLAGS) $(INC) $(LAYER) -MMD -MP -c $< -o $@

$(W)/third/%.o: $(THIRD_DEP) wasm/toolchain.mk $(TOOLS)/wasm.env
	@echo "  wasm  $* (third party)" && mkdir -p $(@D)
	$(WASM_CC) $(STD) -w $(WASM_CFLAGS) -Isrc $(THIRD_INC) -c $(third_$*) -o $@

$(W)/third/peer/%.o: tests/peer/config.h $(PEER_NAMES) $(THIRD_DEP) wasm/toolchain.mk $(TOOLS)/wasm.env
	@echo "  wasm  $* (third party, for tests)" && mkdir -p $(@D)
	$(WASM_CC) $(STD) -w $(WASM_CFLAGS) -Isrc $(PEER_INC) -c $(call tool,MBEDTLS)/library/$*.c -o $@
$(W)/libpeer.a: $(PEER_C:%.c=$(W)/obj/%.o) $(PEER:%=$(W)/third/peer/%.o)
	@echo "  ar    $@" && mkdir -p $(@D) && rm -f $@
	$(call tool,LLVM_AR) rcs $@ $^
$(PEER_TESTS:%=$(W)/tests/%.wasm): $(W)/libpeer.a

# Which sources make which module, and the archive for what they use of the rest.  An application
# brings its own hooks in place of the embedding API's.
wasm_objects = $(patsubst %.c,$(W)/obj/%.o,$1)
wasm_third = $(THIRD:%=$(W)/third/%.o)
$(W)/libnatlet.a: $(call wasm_objects,$(SRC)) $(wasm_third)
	@echo "  ar    $@" && mkdir -p $(@D) && rm -f $@
	$(call tool,LLVM_AR) rcs $@ $^
$(W)/link/natlet.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY) $(filter-out %/no_agents.c %/embed/tls.c,$(EMBED)))
$(W)/link/natlet-core.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY) $(filter-out %/agents.c %/embed/tls.c,$(EMBED)))
$(W)/link/natlet-tls.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY) $(filter-out %/agents.c,$(EMBED)))
$(W)/link/demo-agents.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY) $(DEMO) $(DEMOS))
$(W)/link/demo-lunatic.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY) $(LUNATIC) $(DEMOS))
$(W)/link/bench/agents.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY) tests/bench/agents.c)
$(LAYERS:$(W)/%=$(W)/link/%): $(W)/link/%.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY)) $(W)/obj/%.o
$(W)/link/natlet-cli.wasm: $(call wasm_objects,$(PLATFORM) $(CLI))
$(W)/link/natlet-cli.wasm: MODEL = $(COMMAND)
$(W)/link/%.wasm: MODEL = $(REACTOR)
$(W)/link/%.wasm: $(W)/libnatlet.a wasm/toolchain.mk
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_LINK) $(MODEL) $(filter %.o,$^) $< $(WASM_LIBS) -o $@
$(MODULES) $(BENCH_WASM) $(LAYERS): $(W)/%.wasm: $(W)/link/%.wasm
	@echo "  opt   $@" && mkdir -p $(@D)
	$(WASM_OPT) $(WASM_OPT_FLAGS) $< -o $@

# A program of somebody's own: natlet/app.h, demo/writing-agents.md.
app: $(W)/app/$(basename $(notdir $(APP))).wasm
$(W)/app/%.wasm: $(APP) $(call wasm_objects,$(PLATFORM) $(ENTRY)) $(W)/libnatlet.a
	@echo "  app   $@" && mkdir -p $(@D)
	$(WASM_CC) $(STD) $(WARN) $(WASM_CFLAGS) -Iinclude $(WASM_LINK) $(REACTOR) $^ $(WASM_LIBS) -o $@
	$(WASM_OPT) $(WASM_OPT_FLAGS) $@ -o $@

# Tests link the objects that the modules are made of.
$(UNIT_WASM): $(W)/tests/%.wasm: $(call wasm_objects,tests/unit/%.c $(SUPPORT) $(FILES)) $(W)/libnatlet.a
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_LINK) -Wl,-z,stack-size=262144 $(filter %.o %.a,$^) $(WASM_LIBS) -o $@
$(W)/oracle/otp-oracle.wasm: $(call wasm_objects,$(ORACLE) $(SUPPORT)) $(W)/libnatlet.a
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_LINK) -Wl,-z,stack-size=262144 $(filter %.o %.a,$^) $(WASM_LIBS) -o $@
$(HOSTED_WASM): $(W)/%.wasm: $(call wasm_objects,%.c $(SUPPORT) $(PLATFORM)) $(W)/libnatlet.a
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_LINK) $(COMMAND) $(filter %.o %.a,$^) $(WASM_LIBS) -o $@
# As a module is linked, but not optimized: a trap nobody needs must stay.
$(W)/traps/traps.wasm: $(call wasm_objects,$(PLATFORM) $(ENTRY) $(TRAPS)) $(W)/libnatlet.a
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_LINK) $(REACTOR) $^ $(WASM_LIBS) -o $@
# A guest is a module of its own, without natlet in it.
$(W)/cells/%.wasm: $(W)/obj/tests/cells/%.o
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_LINK) $(REACTOR) $^ $(WASM_LIBS) -o $@
$(W)/ws/ws-echo.wasm: $(call wasm_objects,tests/tools/ws_echo.c $(PLATFORM)) $(W)/libnatlet.a
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_LINK) $(COMMAND) $^ $(WASM_LIBS) -o $@

include wasm/install.mk
include host-shims/wasm2c/build.mk

# ---- tests

unit: unit-native asan unit-wasm
unit-native: $(UNIT_BIN) $(TEST_TOOLS)
	@sh tests/unit.sh $(B) "" $(UNIT_BIN)
unit-wasm: $(UNIT_WASM) $(TOOLS)/node.env
	@sh tests/unit.sh $(W) "$(call tool,NODE) --no-warnings --single-threaded tests/wasi.mjs" $(UNIT_WASM)
unit-wasm-node24: $(UNIT_WASM) $(TOOLS)/node24.env
	@sh tests/unit.sh $(W) "$(call tool,NODE24) --no-warnings --single-threaded tests/wasi.mjs" $(UNIT_WASM)
asan: $(TOOLS)/clang.env
	@$(MAKE) -s unit-native B=$(B)/asan CC=$(call tool,CLANG) CFLAGS="-O1 -g $(SAN)" WERROR=-Werror

check: unit gate tidy-changed
	@echo "check: all good"
gate: strict fmt-check arrows symbols publisher builds style docs modules

TEST_PARTS = native clang lint wasm sources server node node24 npm browser pkgconf wabt proxies
test: $(TEST_PARTS:%=$(TOOLS)/%.env)
	@sh tests/run.sh $(MAKE)
# What the suites run: built before the clock of the first suite starts.
test-build: all wasm package install-build $(UNIT_BIN) $(UNIT_WASM) $(HOSTED_BIN) $(HOSTED_WASM) $(TEST_TOOLS) $(W)/ws/ws-echo.wasm $(ORACLES) $(UNITS_OF_FAILURE)

conformance ws ws-peers hosts e2e tls browser lab npm traps cells consumers: $(TEST_PARTS:%=$(TOOLS)/%.env) test-build
	@sh tests/run.sh $(MAKE) $@
# What other clients do in the cases of ws: M=write makes the table of their README.
ws-references: $(TOOLS)/node.env $(TOOLS)/npm.env $(TOOLS)/browser.env
	@set -a && . $(TOOLS)/env && set +a && "$$NODE" tests/conformance/ws/references.mjs $(M)
# Each fault planted in the engine must turn that suite red: 78 of them, one to three minutes.
ws-mutants: $(TOOLS)/node.env $(B)/tests/ws-echo
	@CC="$(CC)" $(call tool,NODE) tests/conformance/ws/mutants.mjs $(M)
# The suites that have cases of conformance; `make test` holds the table against what they say.
THEMED = conformance
conformance-table: $(TEST_PARTS:%=$(TOOLS)/%.env) test-build
	@TABLE=write sh tests/run.sh $(MAKE) $(THEMED) $@

# What Erlang/OTP does: see tests/oracle/README.md.
oracle: $(TOOLS)/node.env
	@sh tests/oracle/regenerate.sh "$(call tool,NODE)"

# What serde_json accepts and writes: see tests/oracle/README.md.
serde-goldens:
	@sh tests/oracle/serde/regenerate.sh

demo demo-lunatic: $(TOOLS)/server.env $(TOOLS)/node.env all wasm
demo:
	@set -a && . $(TOOLS)/env && set +a && "$$NODE" demo/run.mjs && "$$NODE" demo/lunatic/run.mjs
demo-lunatic:
	@set -a && . $(TOOLS)/env && set +a && "$$NODE" demo/lunatic/run.mjs
# A room of several browser tabs, until ^C.
demo-slate: $(TOOLS)/server.env $(TOOLS)/node.env $(TOOLS)/npm.env package
	@set -a && . $(TOOLS)/env && set +a && "$$NODE" demo/slate/run.mjs
bench: $(TEST_PARTS:%=$(TOOLS)/%.env) all wasm $(HOSTED_BIN) $(HOSTED_WASM) $(BENCH_WASM)
	@set -a && . $(TOOLS)/env && set +a && "$$NODE" tests/bench/run.mjs $(BENCH)

fuzz: $(TOOLS)/clang.env $(TOOLS)/cov.env
	@$(MAKE) -s build/fuzz/tests/fuzz/f_$(T) B=build/fuzz CC=$(call tool,CLANG) \
	    CFLAGS="-O1 -g -DNATLET_FUZZ $(SAN) -fsanitize=fuzzer-no-link"
	@$(MAKE) -s build/cov/tests/fuzz/f_$(T) B=build/cov CC=$(call tool,CLANG) \
	    CFLAGS="-O1 -g -DNATLET_FUZZ -fprofile-instr-generate -fcoverage-mapping"
	@sh tests/fuzz.sh $(T) $(S)

# ---- checks

# Warnings are errors in our gate only, never in what users build: every file once more, thrown away.
strict: $(C_NATIVE:%.c=$(B)/strict/native/%.ok) $(C_WASM:%.c=$(B)/strict/wasm/%.ok)
	@echo "ok strict"
$(B)/strict/native/%.ok: %.c $(H_ALL) $(TOOLS)/native.env
	@mkdir -p $(@D)
	@$(CC) $(STD) $(WARN) -Werror -O2 $(INC) -c $< -o /dev/null && touch $@
$(B)/strict/wasm/%.ok: %.c $(H_ALL) $(TOOLS)/wasm.env
	@mkdir -p $(@D)
	@$(WASM_CC) $(STD) $(WARN) -Werror $(WASM_CFLAGS) $(INC) -fsyntax-only $< && touch $@

fmt: $(TOOLS)/lint.env
	$(call tool,CLANG_FORMAT) -i $(C_ALL) $(WASM2C_C) $(H_ALL)
fmt-check: $(TOOLS)/lint.env
	@$(call tool,CLANG_FORMAT) --dry-run -Werror $(C_ALL) $(WASM2C_C) $(H_ALL) && echo "ok fmt-check"

# A stamp a file: only what changed since is looked at again.  Tests are not tidied: they are lists of cases.
TIDY    = $(filter-out tests/%,$(C_ALL))
CHANGED = $(filter $(TIDY),$(shell (git diff --name-only HEAD; git ls-files -o --exclude-standard) 2>/dev/null))
tidy: $(TIDY:%.c=$(B)/tidy/%.ok)
tidy-changed: $(CHANGED:%.c=$(B)/tidy/%.ok)
$(B)/tidy/%.ok: %.c .clang-tidy $(TOOLS)/lint.env $(TOOLS)/wasm.env
	@mkdir -p $(@D)
	@$(call tool,CLANG_TIDY) --quiet $< -- $(STD) $(INC) \
	    $(if $(filter $(C_NATIVE),$<),,$(WASM_CFLAGS)) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

# The seed's builds: a reactor each, around tests/arch/builds.c.
BUILDS = $(call wasm_objects,$(PLATFORM) $(ENTRY))
BUILD_ENV = CC="$(CC)" WASM_CC="$(WASM_CC) $(STD) $(WASM_CFLAGS) $(WASM_LINK) $(REACTOR)" WASM_LIBS="$(WASM_LIBS)" \
            WASM_OPT="$(WASM_OPT) $(WASM_OPT_FLAGS)"

arrows: $(TOOLS)/clang.env
	@CC="$(call tool,CLANG)" sh tests/arch/arrows.sh
symbols: $(B)/libnatlet.a
	@NM="$(call tool,NM)" sh tests/arch/symbols.sh $<
publisher: $(B)/libnatlet.a $(W)/libnatlet.a
	@CC="$(CC)" WASM_CC="$(WASM_CC) $(STD) $(WASM_CFLAGS) $(WASM_LINK) $(REACTOR)" WASM_LIBS="$(WASM_LIBS)" \
	    sh tests/arch/publisher.sh $^
builds: $(B)/libnatlet.a $(B)/libnatlet_posix.a $(W)/libnatlet.a $(BUILDS)
	@$(BUILD_ENV) sh tests/arch/builds.sh check $^
style:
	@sh tests/arch/style.sh
docs:
	@sh tests/arch/docs.sh
modules: wasm $(LAYERS) $(TOOLS)/node.env
	@$(call tool,NODE) tests/arch/modules.mjs $(W)
size: wasm $(LAYERS) $(B)/libnatlet.a $(B)/libnatlet_posix.a $(BUILDS) $(TOOLS)/node.env
	@$(call tool,NODE) tests/arch/modules.mjs $(W) size
	@$(BUILD_ENV) sh tests/arch/builds.sh size $(B)/libnatlet.a $(B)/libnatlet_posix.a $(W)/libnatlet.a $(BUILDS)
# After a change of imports or exports that was meant.
lists: wasm $(LAYERS) $(TOOLS)/node.env
	@$(call tool,NODE) tests/arch/modules.mjs $(W) write

hooks:
	git config core.hooksPath .githooks
clean:
	find build -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +

FORCE:
-include $(shell find $(B) -path $(TOOLS) -prune -o -name '*.d' -print 2>/dev/null)
.PHONY: all wasm package unit unit-native unit-wasm unit-wasm-node24 asan check gate test test-build conformance conformance-table ws ws-peers ws-mutants ws-references oracle serde-goldens hosts e2e tls browser lab npm traps cells consumers demo demo-slate bench fuzz \
        strict fmt fmt-check tidy tidy-changed arrows symbols publisher builds style docs modules size lists hooks clean FORCE
.PRECIOUS: $(B)/%.o $(TOOLS)/%.env
.DELETE_ON_ERROR:

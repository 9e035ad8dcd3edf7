# make install and make uninstall: DESTDIR, PREFIX (absolute; /usr/local).  What goes where: wasm/install.sh.

PREFIX = /usr/local

# The archive for programs of others: objects of plain code with the usual calling convention, where our own
# modules exchange bitcode and pass structures as scalars (wasm/toolchain.mk).  So any linker and language can use it.
PORTABLE_CFLAGS = $(filter-out -flto,$(subst -Xclang -target-abi -Xclang experimental-mv,,$(WASM_CFLAGS)))
PORTABLE        = $(patsubst %.c,$(W)/portable/%.o,$(SRC) $(PLATFORM) wasm/reactor.c $(FILES)) $(THIRD:%=$(W)/portable/third/%.o)

$(W)/portable/%.o: %.c Makefile wasm/install.mk wasm/toolchain.mk $(TOOLS)/wasm.env $(TOOLS)/sources.env $(NAMES)
	@echo "  wasm  $< (portable)" && mkdir -p $(@D)
	$(WASM_CC) $(STD) $(WARN) $(WERROR) $(PORTABLE_CFLAGS) $(INC) -MMD -MP -c $< -o $@
$(W)/portable/third/%.o: $(THIRD_DEP) wasm/install.mk wasm/toolchain.mk $(TOOLS)/wasm.env
	@echo "  wasm  $* (third party, portable)" && mkdir -p $(@D)
	$(WASM_CC) $(STD) -w $(PORTABLE_CFLAGS) -Isrc $(THIRD_INC) -c $(third_$*) -o $@
$(W)/portable/libnatlet.a: $(PORTABLE)
	@echo "  ar    $@" && mkdir -p $(@D) && rm -f $@
	$(call tool,LLVM_AR) rcs $@ $^

install-build: all wasm $(W)/portable/libnatlet.a
install: install-build
	@sh wasm/install.sh install "$(PREFIX)" "$(B)"
uninstall:
	@sh wasm/install.sh uninstall "$(PREFIX)" "$(B)"
.PHONY: install install-build uninstall

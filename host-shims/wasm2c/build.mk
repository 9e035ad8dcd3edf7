# make wasm2c: each module as a program, $(B)/wasm2c/NAME, with the host of host-shims/posix around it.

WASM2C_PROGRAMS = $(MODULES:$(W)/%.wasm=$(B)/wasm2c/%)

wasm2c: $(WASM2C_PROGRAMS)
$(WASM2C_PROGRAMS): $(B)/wasm2c/%: $(W)/%.wasm $(LIBS) $(wildcard host-shims/wasm2c/*) $(TOOLS)/wabt.env
	@echo "  c     $@" && mkdir -p $(@D)
	@WASM2C=$(call tool,WASM2C) WASM_RT_DIR=$(call tool,WASM_RT_DIR) NATIVE_CC="$(CC)" B=$(B) \
	    sh host-shims/wasm2c/build.sh $< $@
.PHONY: wasm2c

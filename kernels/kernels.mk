# Kernels: every kernels/<scenario>/<name>.c is one kernel, linked with the runtime to
# build/kernels/<scenario>/<name>.elf. The compiler is Zig's Clang, from PyPI.

ZIGCC  := $(PYTHON) -m ziglang cc -target x86_64-freestanding-none

# No SSE or x87, so that interrupt handlers need not save it; no red zone, as interrupts come on the same stack.
KERNEL_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -mcmodel=kernel -mno-red-zone -mcpu=x86_64-sse-sse2-mmx-x87+soft_float \
    -fno-stack-protector -fno-pic -fno-pie -fno-sanitize=all -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
    -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Werror -Wno-unused-parameter
KERNEL_LDFLAGS := -static -nostdlib -Wl,-T,kernels/lib/kernel.ld -Wl,-e,start_physical -Wl,--build-id=none -Wl,-z,max-page-size=4096

LIB_SOURCES := $(wildcard kernels/lib/*.c kernels/lib/*.S)
LIB_HEADERS := $(wildcard kernels/lib/*.h kernels/devices/*.h) build/include/partition.h
LIB_OBJECTS := $(patsubst kernels/%,build/kernels/%.o,$(LIB_SOURCES))

# Kernels without the runtime: 32-bit, loaded by Multiboot.
BARE := tasks board limits real16
STRANGE_SOURCES := kernels/tests/stranger.c $(BARE:%=kernels/tests/%.c)

KERNEL_SOURCES := $(filter-out $(LIB_SOURCES) $(STRANGE_SOURCES),$(wildcard kernels/*/*.c))
KERNELS := $(KERNEL_SOURCES:kernels/%.c=build/kernels/%.elf)

.PHONY: kernels
kernels: $(KERNELS)  ## build the kernels alone

build/kernels/lib/%.o: kernels/lib/% $(LIB_HEADERS) kernels/kernels.mk | $(VENV)
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(ZIGCC) $(KERNEL_CFLAGS) -c $< -o $@

.SECONDARY: $(LIB_OBJECTS)
.SECONDEXPANSION:
build/kernels/%.elf: kernels/%.c $(LIB_OBJECTS) $(LIB_HEADERS) kernels/lib/kernel.ld $$(wildcard kernels/$$(*D)/*.h)
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(ZIGCC) $(KERNEL_CFLAGS) $(KERNEL_LDFLAGS) $< $(LIB_OBJECTS) -o $@

kernels: build/kernels/tests/multiboot.elf build/kernels/tests/stranger.bin $(BARE:%=build/kernels/tests/%.elf)
build/kernels/tests/multiboot.elf: kernels/tests/multiboot.S kernels/tests/multiboot.ld
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(PYTHON) -m ziglang cc -target x86-freestanding-none -nostdlib -static -Wl,-T,kernels/tests/multiboot.ld $< -o $@

STRANGE_CFLAGS := -target x86-freestanding-none -mcpu=i686 -O2 -std=gnu17 -ffreestanding -fno-pic \
    -fno-stack-protector -fno-sanitize=all -Wall -Wextra -Werror -nostdlib -static -Wl,--build-id=none

$(BARE:%=build/kernels/tests/%.elf): build/kernels/%.elf: kernels/%.c kernels/tests/bare.h kernels/tests/bare.ld
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(PYTHON) -m ziglang cc $(STRANGE_CFLAGS) -Wl,-T,kernels/tests/bare.ld -Wl,-e,_start $< -o $@

# A flat file: what its Multiboot header does not say, nobody knows of it.
build/kernels/tests/stranger.bin: kernels/tests/stranger.c kernels/tests/stranger.ld
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(PYTHON) -m ziglang cc $(STRANGE_CFLAGS) -Wl,-T,kernels/tests/stranger.ld -Wl,-e,entry $< -o $@.elf
	@$(PYTHON) -m ziglang objcopy -O binary $@.elf $@

# The disk that is inherited.
kernels: build/kernels/heir/blank.img
build/kernels/heir/blank.img: kernels/kernels.mk
	@mkdir -p $(@D)
	@head -c 65536 /dev/zero > $@

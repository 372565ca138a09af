# The ROM: build/firmware/rom.bin, and rom.elf with its symbols.

FIRMWARE_SOURCES := $(wildcard firmware/*.S firmware/*.c)
FIRMWARE_OBJECTS := $(patsubst firmware/%,build/firmware/%.o,$(FIRMWARE_SOURCES))
FIRMWARE_HEADERS := $(patsubst %,build/include/%.h,acpi acpi_pm handoff memmap partition vtd)

# A stack of 512 bytes, no FPU state of its own, no data that would need relocating.
FIRMWARE_CFLAGS := -target x86-freestanding-none -mcpu=i686 -Os -g -std=gnu17 -Wall -Wextra -Werror \
	-ffreestanding -fno-pic -fno-stack-protector -fno-sanitize=all -fomit-frame-pointer \
	-Wframe-larger-than=160 -Ibuild/include
FIRMWARE_LDFLAGS := -target x86-freestanding-none -nostdlib -static \
	-Wl,-T,firmware/rom.ld -Wl,-e,reset_entry -Wl,--build-id=none

.PHONY: firmware
firmware: build/firmware/rom.bin  ## build the ROM alone

build/include/%.h: mksim/spec/%.py mksim/spec/cheader.py | $(VENV)
	@mkdir -p $(@D)
	@echo "  H   $@"
	@$(PYTHON) -m mksim.spec.cheader $* > $@.new
	@mv $@.new $@

.PRECIOUS: build/include/%.h

build/firmware/%.o: firmware/% firmware/firmware.h firmware/firmware.mk $(FIRMWARE_HEADERS)
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(PYTHON) -m ziglang cc $(FIRMWARE_CFLAGS) -c $< -o $@

build/firmware/rom.elf: $(FIRMWARE_OBJECTS) firmware/rom.ld
	@echo "  LD  $@"
	@$(PYTHON) -m ziglang cc $(FIRMWARE_LDFLAGS) $(FIRMWARE_OBJECTS) -o $@

build/firmware/rom.bin: build/firmware/rom.elf
	@$(PYTHON) -m ziglang objcopy -O binary $< $@

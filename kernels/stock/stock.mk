# Stock kernels: Debian's Linux and memtest86+, and a userspace of busybox. Nothing of them is committed.

STOCK := kernels/stock
GUESTS := build/guests

.PHONY: guests
guests: $(GUESTS)/initramfs.cpio.gz $(GUESTS)/vmlinux $(GUESTS)/empty.img $(GUESTS)/ext4.img  ## fetch stock kernels from Debian, with apt-get but without root

$(GUESTS)/manifest.json: $(STOCK)/fetch.py | $(VENV)
	@$(PYTHON) -m kernels.stock.fetch $(@D)
	@touch $@

$(GUESTS)/initramfs.cpio.gz: $(GUESTS)/manifest.json $(STOCK)/init.sh $(STOCK)/initramfs.py $(STOCK)/cpio.py
	@echo "  GEN $@"
	@$(PYTHON) -m kernels.stock.initramfs $(@D)/busybox $(@D)/drivers.cpio $@

$(GUESTS)/vmlinux: $(GUESTS)/manifest.json $(STOCK)/vmlinux.py
	@echo "  GEN $@"
	@$(PYTHON) -m kernels.stock.vmlinux $(@D)/vmlinuz $@

$(GUESTS)/empty.img: | $(GUESTS)/manifest.json
	@echo "  GEN $@"
	@head -c 8388608 /dev/zero > $@

$(GUESTS)/ext4.img: $(STOCK)/files.py | $(GUESTS)/manifest.json
	@echo "  GEN $@"
	@$(PYTHON) -m kernels.stock.files $@

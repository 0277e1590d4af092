# SPDX-License-Identifier: GPL-2.0-only
#
# Bring kvm.ko up to date in a kernel's build directory with the commands that kbuild
# recorded there. kbuild itself takes several seconds to find out that nothing else has
# changed. Run as `make -C OUT -f this`.

dir := arch/riscv/kvm
objects := $(shell cat $(dir)/kvm.mod)
include $(foreach object,$(objects),$(dir $(object)).$(notdir $(object)).cmd)
include $(dir)/.kvm.o.cmd $(dir)/.kvm.ko.cmd

# The headers of each are in there, the source itself is not.
$(foreach object,$(objects),$(eval $(object): $(source_$(object))))

$(dir)/kvm.ko: $(dir)/kvm.o
	$(savedcmd_$@)
$(dir)/kvm.o: $(objects)
	$(savedcmd_$@)
$(objects): %.o:
	$(savedcmd_$@)

.DEFAULT_GOAL := $(dir)/kvm.ko
.SECONDARY:

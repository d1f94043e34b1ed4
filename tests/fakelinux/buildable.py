# SPDX-License-Identifier: GPL-2.0-only
"""The small kernel with Makefiles that really compile it, out of tree, as the kernel's do."""

from __future__ import annotations

from pathlib import Path

from tests.fakelinux import MAKEFILE, commit, copy_of, write_kernel

OBJECTS = ("net/socket.o", "net/core/sock.o", "net/vmw_vsock/af_vsock.o")

TOP = """
MAKEFLAGS += -r
O ?= $(CURDIR)

%: FORCE
	@mkdir -p $(O)
	@$(MAKE) --no-print-directory -C $(O) -f $(CURDIR)/Makefile.out SRC=$(CURDIR) $@

FORCE: ;
Makefile: ;
"""

# CONFIG_BROKEN stands for a symbol with an unmet dependency
OUT = (
    """
OBJECTS = """
    + " ".join(OBJECTS)
    + """
allnoconfig: ; sed /CONFIG_BROKEN/d $(KCONFIG_ALLCONFIG) > .config
allmodconfig: ; echo CONFIG_ALL=m > .config
headers: ; mkdir -p usr/include
bzImage: $(OBJECTS)
	@echo "  LD      vmlinux.o"
	@ld -r -o vmlinux $(OBJECTS)
	@mkdir -p arch/x86/boot include/config
	@cp vmlinux arch/x86/boot/bzImage
	@echo 6.12.117 > include/config/kernel.release
$(OBJECTS): %.o: $(SRC)/%.c
	@mkdir -p $(dir $@)
	@echo "  CC      $@"
	@$(CC) -Wall $(if $(W),-Wextra) -c -o $@ $<
"""
)


def make_buildable(folder: Path) -> Path:
    """A checkout with one commit whose bzImage can be made."""
    return copy_of("buildable", _make, folder)


def _make(folder: Path) -> None:
    write_kernel(folder)
    (folder / "Makefile").write_text(MAKEFILE.replace("all: ;\n", TOP))
    (folder / "Makefile.out").write_text(OUT)
    (folder / "net/Kconfig").write_text('config BROKEN\n\tbool "b"\n\tdepends on MISSING\n')
    commit(folder, "kernel")

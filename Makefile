# SPDX-License-Identifier: GPL-2.0-only
#
# What people type; what the kernel builds is in Kbuild. 'make help' lists it all.

VERSION := 0.1.0

# Names that other build systems use for the same thing (OE's module.bbclass,
# dkms, buildroot) come first; without any of them: the running kernel.
KDIR ?= $(or $(KERNEL_SRC),$(KERNEL_PATH),/lib/modules/$(shell uname -r)/build)
KERNELS ?= all
TESTS ?= all
TIME ?= 300

# Passed on only where given, so that a kernel's own defaults stay; make goes to KDIR first.
kmake = $(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(O),O=$(abspath $(O))) \
	$(if $(ARCH),ARCH=$(ARCH)) $(if $(CROSS_COMPILE),CROSS_COMPILE=$(call quoted,$(CROSS_COMPILE)))

# quoted(text) - as one word of the shell's, whatever is in it
quoted = '$(subst ','\'',$1)'

# placed(name) - a path of that name, if there is one, from where make was started; with a blank it is two to make
placed = $(if $($1),$(if $(word 2,$($1)),$(error boardpack: $1=$($1) has a blank: name a folder \
	without one),$1=$(call quoted,$(abspath $($1)))))

all: modules

# The kernel that it is built for: the headers of another may be older than what is here, and be
# called the same by make, which then takes that for up to date.
kernel = { realpath $(KDIR) $(or $(O),$(KDIR)); cd $(or $(O),$(KDIR)) && cat Module.symvers \
	include/generated/utsrelease.h include/generated/autoconf.h 2>/dev/null | cksum; }

check-kdir:
	@scripts/check-kdir "$(KDIR)" "$(O)" "$(ARCH)" "$(firstword $(CC))" "$(CROSS_COMPILE)" \
		"$(origin CC)" "$(LLVM)" $(compiler)

modules: check-kdir
	@[ "$$($(kernel))" = "$$(cat .kernel.cmd 2>/dev/null)" ] || \
		{ $(clean) && $(kernel) >.kernel.cmd; }
	+$(kmake) modules

# Often by root, who may not have a compiler in the path.
modules_install: compiler = none
modules_install: check-kdir
	+$(kmake) $(call placed,INSTALL_MOD_PATH) modules_install

# What was built last, without what is left of a build for another kernel
built = $(foreach name,$(basename $(notdir $(shell cat modules.order))),drivers/*/$(name).ko)

# Only where the kernel's make leaves something: a kernel tree or headers may lie below as well.
left = \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
	-o -name '.*.d' -o -name '*.order' -o -name Module.symvers -o -name '*.symversions' \) -type f

clean = rm -rf .tmp_versions && find . -maxdepth 1 $(left) -exec rm -f {} + && \
	find drivers $(left) -exec rm -f {} +

clean:
	@$(clean)
	@find drivers $(wildcard selftests/*/module) $(left) -exec rm -f {} +

graft:
	@scripts/graft "$(or $(KERNEL),$(KDIR))"

sign: $(if $(MODULES),,modules)
	@scripts/sign $(call quoted,$(or $(O),$(KDIR))) $(call quoted,$(KEY)) $(call quoted,$(CERT)) \
		$(or $(MODULES),$(built))

dkms:
	@scripts/dkms/tree out/dkms

deb:
	@scripts/dkms/package out/deb

matrix:
	@$(if $(KDIRS),scripts/matrix $(KDIRS),scripts/toolroot selftests/qemu/matrix)

export-patch:
	@scripts/export-patch "$(or $(KERNEL),$(KDIR))" out/patches

# Of the kernel that runs here, of KDIR where one is given, or of ROOT.
preflight: $(if $(MODULES),,modules)
	@scripts/preflight $(if $(ROOT),--root $(call quoted,$(ROOT)), \
		$(if $(filter /lib/modules/$(shell uname -r)/build,$(KDIR)),,--kdir $(call quoted,$(or $(O),$(KDIR))))) \
		$(or $(MODULES),$(filter-out %-kunit.ko,$(built)))

check:
	@scripts/toolroot selftests/qemu/check --kernels $(call quoted,$(KERNELS)) \
		--tests $(call quoted,$(TESTS)) $(if $(FRESH),--fresh)

check-yocto:
	@scripts/yocto/check $(RELEASES)

demo:
	@scripts/toolroot selftests/qemu/demo

bench:
	@scripts/toolroot selftests/qemu/bench --kernels $(call quoted,$(KERNELS)) \
		--tests $(call quoted,$(TESTS))

fuzz:
	@scripts/toolroot selftests/fuzz/fuzz.py --time $(call quoted,$(TIME))

overlays:
	@scripts/toolroot scripts/dt/build $(FAMILY) \
		$(if $(BASE),--base $(call quoted,$(or $(abspath $(wildcard $(BASE))),$(BASE)))) \
		$(foreach v,I2C LED RTC MODEM_POWER MODEM_RESET \
		MODEM_RADIO,$(if $($v),$v=$(call quoted,$($v))))

dtb:
	@scripts/toolroot scripts/dt/compile $(call quoted,$(or $(filter-out all,$(KERNELS)),6.12)) \
		$(foreach name,$(abspath $(DTS)),$(call quoted,$(name)))

dt-check:
	@scripts/toolroot scripts/dt/check $(if $(BASE),--base $(call quoted,$(BASE))) \
		$(if $(filter-out all,$(KERNELS)),--kernel $(call quoted,$(KERNELS))) \
		$(foreach name,$(abspath $(DTS)),$(call quoted,$(name)))

dtb-swap:
	+@CROSS_COMPILE='$(CROSS_COMPILE)' LIBFDT='$(LIBFDT)' MUSL='$(MUSL)' scripts/dtb-swap/build

selftests:
	@$(MAKE) -C selftests $(call placed,INSTALL_PATH) $(call placed,KSFT) install

lava:
	@scripts/toolroot selftests/qemu/lava --kernels $(call quoted,$(KERNELS)) \
		--machines $(call quoted,$(or $(MACHINES),all)) \
		$(if $(URL),--url $(call quoted,$(URL)))

help:
	@echo 'Modules'
	@echo '  make                  build the modules for KDIR'
	@echo '  make modules_install  install them (INSTALL_MOD_PATH= for a root elsewhere)'
	@echo '  make clean            remove what a build left'
	@echo '  make graft            copy the drivers into the kernel tree KERNEL, with Kconfig, and build them'
	@echo '                        there if it is configured (O= ARCH= CROSS_COMPILE=)'
	@echo '  make export-patch     the drivers as a series for the mainline tree KERNEL, in out/patches'
	@echo '  make preflight        would they load? and why not (ROOT=, MODULES=)'
	@echo '  make sign             sign them: KEY= CERT= (MODULES=)'
	@echo '  make dkms             the source tree that dkms add takes, below out/dkms'
	@echo '  make deb              the same as a Debian package, in out/deb'
	@echo '  make version          the version of this pack [$(VERSION)]'
	@echo '  make matrix           compile for KDIRS="a b", or for the kernels of the tests; a report'
	@echo 'Device trees'
	@echo '  make overlays         compile the overlays, into out/overlays/<family>/'
	@echo '  make dtb              compile DTS=my.dts, or DTS=my.dtso, into out/dtb/'
	@echo '  make dt-check         check all trees and overlays, or DTS=my.dts'
	@echo '  make dtb-swap         the on-device tool, static, in out/dtb-swap/<for>/; CROSS_COMPILE= LIBFDT= MUSL='
	@echo 'Tests (all but selftests and check-yocto install what they lack, in a cache outside this folder)'
	@echo '  make demo             see LED, clock and modem of emulated boards do their jobs'
	@echo '  make check            run all tests'
	@echo '  make check-yocto      parse the Yocto layer with the bitbake and oe-core that YOCTO= names'
	@echo '  make bench            measure, against user space and mainline triggers'
	@echo '  make fuzz             hostile trees, files, USB devices and RTCs, for TIME= seconds'
	@echo '  make selftests        install the kselftests into INSTALL_PATH, for a device'
	@echo '  make lava             boots of emulated boards as jobs for LAVA, in out/lava'
	@echo 'Variables'
	@echo '  KDIR=          kernel: build tree or headers [$(KDIR)]'
	@echo '                 (KERNEL_SRC= and KERNEL_PATH= mean the same)'
	@echo '  KERNEL=        graft, export-patch: a kernel source tree'
	@echo '  O=             output folder of the kernel, where it was built with O='
	@echo '  ARCH= CROSS_COMPILE= CC= LD= LLVM=   as for the kernel'
	@echo '  INSTALL_MOD_PATH= INSTALL_MOD_DIR=   as for the kernel'
	@echo '  CONFIG_LEDS_IDENTIFY=n CONFIG_RTC_SEED=n CONFIG_USB_MODESWITCH=n     leave a module out'
	@echo '  SOURCE_DATE_EPOCH=    when it is built, for the floor of rtc-seed: seconds since 1970'
	@echo '  KBUILD_SIGN_PIN=      sign: opens a KEY that is encrypted; in the environment'
	@echo '  MODULES=       preflight, sign: these .ko files in place of those built here'
	@echo '  ROOT=          preflight: the root file system that the kernel is in'
	@echo '  KERNELS=       check, bench, lava, dtb and dt-check of a .dts: only these, such as "6.12 sanitizer" [$(KERNELS)]'
	@echo '  TESTS=         check, bench: only these, such as "leds static" [$(TESTS)]'
	@echo '  YOCTO= CONTRACTS= REPOS= RELEASES=  check-yocto: see scripts/yocto/check'
	@echo '  FRESH=1        check: run also what has not changed since it passed'
	@echo '  TIME=          fuzz: seconds in all [$(TIME)]'
	@echo '  FAMILY= BASE= I2C= LED= RTC=         overlays: see overlays/README, also for'
	@echo '  MODEM_POWER= MODEM_RESET= MODEM_RADIO=   the GPIOs of the modem slot'
	@echo '  DTS= BASE=     dtb, dt-check: files of yours; dt-check: the tree that an overlay is for'
	@echo '  MACHINES= URL=        lava: names in selftests/qemu/machines.tsv, where out/lava will be'
	@echo '  INSTALL_PATH= KSFT= TARGETS=   selftests: where to, the kernel tree whose lib.mk is used, folders'
	@echo '  XDG_CACHE_HOME=       where the cache goes, a whole path [~/.cache]'
	@echo '  BOARDPACK_MIRROR=     Debian mirror, where the apt sources name none'

version:
	@echo $(VERSION)

.PHONY: all check-kdir modules modules_install clean graft check check-yocto demo bench fuzz \
	overlays dtb dt-check dtb-swap selftests lava help version preflight export-patch dkms deb sign \
	matrix

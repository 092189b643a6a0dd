# SPDX-License-Identifier: GPL-2.0-only
#
# Of a kernel's configuration, which is long, what preflight asks for by set_to(): its own options,
# and those that preflight-symbols.awk knows to bring symbols. The first line says that there is one.

/^CONFIG_/ && !lines++ {
	print "CONFIG_="
}

/^CONFIG_(ARM|ARM64|X86|SMP|PREEMPT[A-Z_]*|MOD[A-Z_]*|LOCK_DOWN[A-Z_]*|TRIM_UNUSED_KSYMS)=/ ||
/^CONFIG_(LEDS_TRIGGERS|LEDS_CLASS|RTC_CLASS|USB_STORAGE|USB|NVMEM|OF|KUNIT|SYSFS)=/

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest of make bench: how soon a Huawei stick is switched and its modem has
# drivers; by usb-modeswitch, and by Debian's usb_modeswitch as udev and systemd run
# it. Cold: no driver is loaded yet, and the kernel has forgotten what it can.
# usage: modem.sh ROUNDS

rule=/run/udev/rules.d/40-usb_modeswitch.rules
list=/run/modprobe.d/bench.conf
dispatcher=/usr/sbin/usb_modeswitch_dispatcher
pause=5000	# usb_modeswitch looks for some seconds whether it was successful

forget() {
	udevadm settle
	modprobe -r usb-modeswitch
	modprobe -r option usb-wwan huawei-cdc-ncm uas usb-storage
	echo 3 >/proc/sys/vm/drop_caches
}

# use(way) - let one of the two, or none, have the device
use() {
	forget
	rm -f $rule $list
	[ "$1" = program ] || ln -s /dev/null $rule
	[ "$1" = module ] || echo "blacklist usb_modeswitch" >$list
	udevadm control --reload
}

# cold(way) - rounds in which udev has to load what is needed
cold() {
	for _ in $(seq "$rounds"); do
		forget
		modem "$1" 1 $pause
	done
}

# warm(way, module...) - rounds with these modules loaded, and what udev adds
warm() {
	way=$1
	shift
	forget
	for module in "$@"; do
		modprobe "$module"
	done
	modem "$way" 1 $pause >/dev/null
	modem "$way" "$rounds" $pause
}

rounds=$1
mkdir -p ${rule%/*} ${list%/*}
modprobe vhci-hcd
use neither
modem neither 3 $pause
use module
warm module-first usb-modeswitch
sed 's/^/module size /' /sys/module/usb_modeswitch/coresize
warm module-second usb-storage usb-modeswitch
cold module-cold
use program
warm program-warm
cold program-cold

mv $dispatcher $dispatcher.real
printf '#!/bin/sh\nexec busybox time -v -o /run/rss %s.real "$@"\n' $dispatcher >$dispatcher
chmod +x $dispatcher
modem measured 1 $pause
for _ in $(seq 60); do		# it ends later than the modem is there
	[ -s /run/rss ] && break
	sleep 1
done
sed -n 's/.*Maximum resident.*: /program rss /p' /run/rss

# SPDX-License-Identifier: GPL-2.0-only
# bash completion of dtb-swap; goes to /usr/share/bash-completion/completions/dtb-swap
_dtb_swap() {
	local word=${COMP_WORDS[COMP_CWORD]}
	local verbs="check diff merge install rollback try commit guard carry status list"
	local options="--accept --accept-board --all --back --base --family --forget --help --initrd --json --kernel
		--labels --last --limit --load --modules --out --overlay --own --pending --quiet --root
		--structure --unproven --untried --variable --version --watchdog"

	local before=${COMP_WORDS[COMP_CWORD - 1]}

	if [[ $before =~ ^(-o|-l|--(out|labels|kernel|initrd|watchdog|root))$ ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [[ $before =~ ^--(accept|accept-board|family|limit|variable)$ ]]; then
		COMPREPLY=()
	elif [ "${word:0:1}" = - ]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
	elif [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -X '!*.dtb*' -- "$word"; compgen -d -- "$word")
	fi
}
complete -o filenames -F _dtb_swap dtb-swap

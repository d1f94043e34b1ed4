# SPDX-License-Identifier: GPL-2.0-only
# bash 4.4 or newer: eval "$(kzc completion bash)", or this file in
# ~/.local/share/bash-completion/completions/kzc

_kzc()
{
	local line=${COMP_LINE:0:COMP_POINT} program=${1/#\~\//$HOME/}
	local breaks=${COMP_WORDBREAKS//[^:=@]/} typed before= value rest

	# readline takes the part behind : = @ for a word of its own
	typed=${line##*[[:space:]]}
	[[ -n $breaks ]] && before=${typed%"${typed##*[$breaks]}"}
	COMPREPLY=()
	while IFS=$'\t' read -r value rest; do
		COMPREPLY+=("${value#"$before"}")
	done < <("$program" --complete-line "$line" 2>/dev/null)
}

complete -o default -o nosort -F _kzc kzc

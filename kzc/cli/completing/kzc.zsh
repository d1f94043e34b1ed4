#compdef kzc
# SPDX-License-Identifier: GPL-2.0-only
# zsh, behind compinit: eval "$(kzc completion zsh)", or this file as _kzc in a folder of $fpath

_kzc() {
	local line="${(j: :)words[1,CURRENT-1]} $PREFIX" program=${words[1]/#\~\//$HOME/} each
	local -a values shown

	for each in "${(@f)$("$program" --complete-line "$line" 2>/dev/null)}"; do
		[[ -n $each ]] || continue
		values+=("${each%%$'\t'*}")
		shown+=("${each/$'\t'/  -- }")
	done
	if (( $#values )); then
		compadd -l -V kzc -d shown -a values
	else
		_files
	fi
}

if [[ $funcstack[1] == _kzc ]]; then
	_kzc "$@"
else
	compdef _kzc kzc
fi

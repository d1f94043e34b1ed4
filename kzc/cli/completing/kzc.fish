# SPDX-License-Identifier: GPL-2.0-only
# fish: kzc completion fish | source, or this file in ~/.config/fish/completions/

function __kzc_complete
	set -l words (commandline -opc)
	set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
	set -l line (commandline -cp | string join ' ')
	set -l found ($program --complete-line "$line" 2>/dev/null)
	if set -q found[1]
		printf '%s\n' $found
	else
		__fish_complete_path (commandline -ct)
	end
end

complete -c kzc -f -a '(__kzc_complete)'

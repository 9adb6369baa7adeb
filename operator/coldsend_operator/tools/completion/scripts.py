"""The completion scripts of the shells."""

from typing import Literal

Shell = Literal["bash", "zsh", "fish", "powershell"]

_BASH = r"""# bash completion of coldsend-operator
_coldsend_operator() {
    local line word typed colons="" directive=4 n=0 words=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do # bash splits words at = and : too
        if [[ $n -gt 0 && ( $word == [=:]* || ${words[n-1]} == *[=:] ) ]]; then
            words[n-1]+=$word
        else
            words[n++]=$word
        fi
    done
    typed=${words[n-1]#-*=}
    if [[ $COMP_WORDBREAKS == *:* ]]; then # only what follows the last colon is replaced
        colons=${typed%"${typed##*:}"}
    fi
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :[0-9]*) directive=${line#:} ;;
            *) line=${line%%$'\t'*}; COMPREPLY+=("${line#"$colons"}") ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 && $directive == 0 ]]; then
        compopt -o default 2>/dev/null
    fi
}
complete -F _coldsend_operator coldsend-operator kubectl-coldsend
"""

_ZSH = r"""#compdef coldsend-operator kubectl-coldsend
_coldsend_operator() {
    local line directive=4
    local -a found
    while IFS= read -r line; do
        case $line in
            :[0-9]*) directive=${line#:} ;;
            *) found+=("${${line//:/\\:}/$'\t'/:}") ;;
        esac
    done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    [[ ${words[CURRENT]} == -*=* ]] && compset -P 1 '*='
    if (( $#found )); then
        _describe 'word' found
    elif (( directive == 0 )); then
        _files
    fi
}
if [[ $funcstack[1] == _coldsend_operator ]]; then
    _coldsend_operator "$@"
else
    compdef _coldsend_operator coldsend-operator kubectl-coldsend
fi
"""

_FISH = r"""# fish completion of coldsend-operator
function __coldsend_operator
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] __complete $words[2..-1] 2>/dev/null)
    set -l option (string match --regex -- '^-[^=]*=' (commandline -ct)); or set option ''
    if test (count $found) -eq 1 -a "$found[1]" = ":0"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $option$found | string match --invert --regex -- '^(-[^=]*=)?:[0-9]+$'
    end
end
complete --command coldsend-operator --no-files --arguments '(__coldsend_operator)'
complete --command kubectl-coldsend --no-files --arguments '(__coldsend_operator)'
"""

_POWERSHELL = r"""# PowerShell completion of coldsend-operator
Register-ArgumentCompleter -Native -CommandName coldsend-operator, kubectl-coldsend -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.ToString() })
    $program = $words[0]
    $words = @($words | Select-Object -Skip 1)
    if (-not $wordToComplete) { $words += '""' } # an empty argument gets lost on the way
    $option = if ($wordToComplete -match '^-[^=]*=') { $Matches[0] } else { '' }
    & $program __complete @words 2>$null | Where-Object { $_ -notmatch '^:[0-9]+$' } | ForEach-Object {
        $word, $about = $_ -split "`t", 2
        if (-not $about) { $about = $word }
        [System.Management.Automation.CompletionResult]::new("$option$word", $word, 'ParameterValue', $about)
    }
}
"""

SCRIPTS: dict[Shell, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL}

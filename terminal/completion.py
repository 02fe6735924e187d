"""Shell completion for `python -m ROOM`, which Typer's own scripts cannot complete: their commands are single words."""

from __future__ import annotations

import re

VARIABLE = "_AZUREML_PLATFORM_COMPLETE"
"""Environment variable by which a shell asks a command line for completions."""

_MODULE = "python -m "

# {words} is the number of words of the program: Typer expects one.
_SCRIPT = """\
[ -n "$ZSH_VERSION" ] && autoload -Uz bashcompinit compinit && compinit && bashcompinit
_{name}() {{
  local IFS=$'\\n' words="${{COMP_WORDS[*]:{words}}}"
  COMPREPLY=($(COMP_WORDS="program"$'\\n'"$words" COMP_CWORD=$((COMP_CWORD - {words} + 1)) \\
    {variable}=complete_bash "${{COMP_WORDS[@]:0:{words}}}" 2>/dev/null))
}}
"""
_PYTHON = """\
_azureml_platform_rooms="$_azureml_platform_rooms {room} "
_azureml_platform_python() {
  if [[ "${COMP_WORDS[1]}" == -m && "$_azureml_platform_rooms" == *" ${COMP_WORDS[2]} "* && $COMP_CWORD -gt 2 ]]; then
    "_azureml_platform_${COMP_WORDS[2]}"
  fi
}
complete -o default -F _azureml_platform_python python python3 .venv/bin/python
"""


def script(program: str) -> str:
    """Return a script for bash and zsh that completes a program's commands and options.

    Args:
        program: `python -m ROOM`, or a command of one word, such as `azureml-jobs`.
    """
    room = program.removeprefix(_MODULE)
    name = f"azureml_platform_{re.sub('[^a-zA-Z0-9_]', '_', room)}"
    function = _SCRIPT.format(name=name, words=len(program.split()), variable=VARIABLE)
    if program.startswith(_MODULE):
        return function + _PYTHON.replace("{room}", room)
    return function + f"complete -o default -F _{name} {program}\n"

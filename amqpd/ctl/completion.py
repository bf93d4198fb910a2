"""Completion of commands and options by the shell."""

from collections.abc import Sequence
from typing import Final

from amqpd.ctl.command import Command

SHELLS: Final = ("bash", "zsh", "fish")


def script(shell: str, commands: Sequence[Command], options: Sequence[str]) -> str:
    """A script for the shell to source; options are those that every command takes."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands, options)


def _words(command: Command) -> list[str]:
    """The options of a command, and the words that its arguments may be."""
    found = [argument.name for argument in command.arguments if argument.name.startswith("--")]
    return found + [choice for argument in command.arguments for choice in argument.choices]


def _bash(commands: Sequence[Command], options: Sequence[str]) -> str:
    cases = "\n".join(
        [f'        {command.name}) words="{" ".join(_words(command))}" ;;' for command in commands if _words(command)]
    )
    return f"""\
_amqpctl() {{
    local word command="" words=""
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in -*) ;; *) command=$word; break ;; esac
    done
    case $command in
        "") words="{" ".join([command.name for command in commands])}" ;;
{cases}
    esac
    COMPREPLY=($(compgen -W "$words {" ".join(options)}" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _amqpctl amqpctl
"""


def _zsh(commands: Sequence[Command], options: Sequence[str]) -> str:
    named = "\n".join([f"        '{command.name}:{_quoted(command.help)}'" for command in commands])
    cases = "\n".join(
        [f"        {command.name}) compadd -- {' '.join(_words(command))} ;;" for command in commands if _words(command)]
    )
    return f"""\
#compdef amqpctl
_amqpctl() {{
    local -a commands
    commands=(
{named}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
    fi
    case $words[2] in
{cases}
    esac
    compadd -- {" ".join(options)}
    _files
}}
compdef _amqpctl amqpctl
"""


def _fish(commands: Sequence[Command], options: Sequence[str]) -> str:
    lines = ["complete -c amqpctl -e"]
    lines += [
        f"complete -c amqpctl -n __fish_use_subcommand -f -a {command.name} -d '{_quoted(command.help)}'"
        for command in commands
    ]
    for command in commands:
        seen = f"-n '__fish_seen_subcommand_from {command.name}'"
        lines += [
            f"complete -c amqpctl {seen} -l {word[2:]}" if word.startswith("--") else f"complete -c amqpctl {seen} -f -a {word}"
            for word in _words(command)
        ]
    lines += [f"complete -c amqpctl -l {option[2:]}" for option in options if option.startswith("--")]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("'", "’").replace(":", "\\:")

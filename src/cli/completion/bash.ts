import { flattenTree, nameOf, type Tree, type TreeOption } from "./tree.ts";
import type { Values } from "./values.ts";

function renderReply(values: Values): string {
  switch (values.kind) {
    case "words":
      return `${values.goesOn === true ? "compopt -o nospace; " : ""}_tsbox_words "${values.words.join(" ")}"`;
    case "profile":
      return '_tsbox_words "$(command tsbox profile list --names 2>/dev/null)"; _tsbox_files -f';
    case "file":
      return "_tsbox_files -f";
    case "directory":
      return "_tsbox_files -d";
    case "variable":
      return "_tsbox_add -e";
    case "free":
      return ":";
  }
}

function renderOption({ flags, value }: TreeOption): string[] {
  return value === undefined || value.values.kind === "free"
    ? []
    : [`    ${flags.join(" | ")}) ${renderReply(value.values)} ;;`];
}

function renderCommand(tree: Tree): string {
  const { path, options, inner, words } = tree;
  const flags = options.flatMap((option) => option.flags);
  const valued = options.flatMap((option) => (option.value === undefined ? [] : option.flags));
  const parts = [
    `flags="${flags.join(" ")}"`,
    `valued=" ${valued.join(" ")} "`,
    `inner=" ${inner.map(nameOf).join(" ")} "`,
    `rest=${words === "command" ? "command" : "words"}`,
  ];
  return `    "${path}") ${parts.join(" ")} ;;`;
}

function renderWords({ path, words, inner }: Tree): string[] {
  if (inner.length > 0) return [`    "${path}") _tsbox_words "$inner" ;;`];
  return words === undefined || words === "command" ? [] : [`    "${path}") ${renderReply(words)} ;;`];
}

/** A script that bash(1) sources; it needs nothing of the bash-completion package, and uses it where it is loaded. */
export function renderBash(tree: Tree): string {
  const all = flattenTree(tree);
  const options = new Set(all.flatMap((each) => each.options.flatMap(renderOption)));
  return `# Completion of tsbox for bash, made by: tsbox completion bash

# Line by line: a name may have blanks in it, and be a pattern that others match.
_tsbox_add() {
  mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen "$@" -- "$cur")
}

_tsbox_words() {
  _tsbox_add -W "$1"
}

_tsbox_files() {
  compopt -o filenames
  _tsbox_add "$1"
}

# Sets flags, valued, inner and rest for a command.
_tsbox_command() {
  case $1 in
${all.map(renderCommand).join("\n")}
  esac
}

_tsbox_value() {
  case $1 in
${[...options].join("\n")}
  esac
}

_tsbox_rest() {
  case $1 in
${all.flatMap(renderWords).join("\n")}
  esac
}

# What is to be run, from word $1 on.
_tsbox_payload() {
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)) && [[ $cur != */* ]]; then
    _tsbox_add -c
    _tsbox_files -f
  else
    _tsbox_files -f
  fi
}

_tsbox() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path="" word option flags valued inner rest i=1
  COMPREPLY=()
  _tsbox_command ""
  while ((i < COMP_CWORD)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      ((i += 1))
      break
    elif [[ $word == -?* ]]; then
      ((i += 1))
      [[ $valued == *" $word "* ]] || continue
      option=$word
      # bash makes words of their own of "=" and ":".
      [[ \${COMP_WORDS[i]} == "=" ]] && ((i += 1))
      while ((i < COMP_CWORD)) && [[ \${COMP_WORDS[i + 1]} == [=:] ]]; do ((i += 2)); done
      if ((i >= COMP_CWORD)); then
        [[ $cur == [=:] ]] && cur=""
        # What follows the name in NAME=VALUE is anybody's.
        [[ \${COMP_WORDS[COMP_CWORD - 1]} == "=" && \${COMP_WORDS[COMP_CWORD - 2]} != "$option" ]] ||
          _tsbox_value "$option"
        return
      fi
      ((i += 1))
    elif [[ $inner == *" $word "* ]]; then
      path="\${path:+$path }$word"
      _tsbox_command "$path"
      ((i += 1))
    elif [[ $rest == command ]]; then
      break
    else
      ((i += 1))
    fi
  done
  if [[ $rest == command ]] && { ((i < COMP_CWORD)) || [[ $cur != -* || \${COMP_WORDS[i - 1]} == -- ]]; }; then
    _tsbox_payload "$i"
  elif [[ $cur == -* ]]; then
    _tsbox_words "$flags"
  else
    _tsbox_rest "$path"
  fi
}

complete -F _tsbox tsbox
`;
}

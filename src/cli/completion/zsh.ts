import { nameOf, type Tree, type TreeOption } from "./tree.ts";
import type { Values } from "./values.ts";

/** For a word in single quotes. */
const quote = (text: string): string => text.replaceAll("'", "'\\''");

/** For a part of a specification of _arguments or _describe. */
const plain = (text: string): string => quote(text.replace(/[[\]:\\]/g, "\\$&"));

function renderAction(values: Values): string {
  switch (values.kind) {
    case "words":
      return values.goesOn === true ? `compadd -S "" -- ${values.words.join(" ")}` : `(${values.words.join(" ")})`;
    case "profile":
      return "_tsbox_profiles";
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    case "variable":
      return '_parameters -g "*export*"';
    case "free":
      return " ";
  }
}

function renderOption({ flags, description, value, isRepeated }: TreeOption): string {
  const spelled = flags.map((flag) => (value === undefined ? flag : flag.startsWith("--") ? `${flag}=` : `${flag}+`));
  const excluded = isRepeated ? "*" : `(${flags.join(" ")})`;
  const action = value === undefined ? "" : `:${plain(value.name)}:${quote(renderAction(value.values))}`;
  const names = spelled.length === 1 ? `${spelled[0]}` : `'{${spelled.join(",")}}'`;
  return `'${excluded}${names}[${plain(description)}]${action}'`;
}

function renderWords({ words }: Tree): string[] {
  if (words === undefined) return [];
  if (words === "command") return ["'(-)1:command: _command_names -e'", "'*::arguments: _normal'"];
  return [`'*:word:${quote(renderAction(words))}'`];
}

const functionOf = ({ path }: Tree): string => `_tsbox${path === "" ? "" : `_${path.replaceAll(" ", "_")}`}`;

function renderFunction(tree: Tree): string {
  const options = tree.options.map(renderOption);
  if (tree.inner.length === 0) {
    const lines = [...options, ...renderWords(tree)].join(" \\\n    ");
    return `${functionOf(tree)}() {\n  _arguments -s -S : \\\n    ${lines}\n}\n`;
  }
  const described = tree.inner.map((inner) => `    '${plain(nameOf(inner))}:${plain(inner.description)}'`);
  const cases = tree.inner.map((inner) => `        ${nameOf(inner)}) ${functionOf(inner)} ;;`);
  return `${functionOf(tree)}() {
  local context state state_descr line curcontext=$curcontext
  typeset -A opt_args
  local -a inner=(
${described.join("\n")}
  )
  _arguments -C -S : \\
    ${[...options, "'1:command:->command'", "'*::words:->words'"].join(" \\\n    ")}
  case $state in
    command) _describe command inner ;;
    words)
      curcontext="\${curcontext%:*}-$line[1]:"
      case $line[1] in
${cases.join("\n")}
      esac
      ;;
  esac
}

${tree.inner.map(renderFunction).join("\n")}`;
}

/** A function file for zsh(1)'s fpath, which may also be sourced after compinit. */
export function renderZsh(tree: Tree): string {
  return `#compdef tsbox
# Completion of tsbox for zsh, made by: tsbox completion zsh

_tsbox_profiles() {
  local -a names=(\${(f)"$(command tsbox profile list --names 2>/dev/null)"})
  _alternative 'profiles:profile:compadd -a names' 'files:file:_files'
}

${renderFunction(tree)}
if [[ $funcstack[1] == _tsbox ]]; then
  _tsbox "$@"
else
  compdef _tsbox tsbox
fi
`;
}

import { flattenTree, nameOf, type Tree, type TreeOption } from "./tree.ts";
import type { Values } from "./values.ts";

const quote = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;

function renderValues(values: Values): string {
  switch (values.kind) {
    case "words":
      return `-x -a ${quote(values.words.join(" "))}`;
    case "profile":
      return "-r -F -a '(command tsbox profile list --names 2>/dev/null)'";
    case "file":
      return "-r -F";
    case "directory":
      return "-x -a '(__fish_complete_directories)'";
    case "variable":
      return "-x -a '(set --names --export)'";
    case "free":
      return "-x";
  }
}

const at = ({ path }: Tree): string => `complete -c tsbox -n ${quote(`__tsbox_at ${quote(path)}`)}`;

function renderOption(tree: Tree, { flags, description, value }: TreeOption): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const values = value === undefined ? [] : [renderValues(value.values)];
  return [at(tree), ...names, ...values, "-d", quote(description)].join(" ");
}

function renderWords(tree: Tree): string[] {
  const { inner, words } = tree;
  const commands = inner.map((each) => `${at(tree)} -a ${nameOf(each)} -d ${quote(each.description)}`);
  if (words === undefined || words === "command") return commands;
  const values = renderValues(words).replace(/^-[xr] /, "");
  return [...commands, `${at(tree)} ${values}`];
}

function renderKnown({ path, options, inner }: Tree): string {
  const valued = options.flatMap((option) => (option.value === undefined ? [] : option.flags));
  return [
    `        case ${quote(path)}`,
    `            set valued ${valued.join(" ")}`,
    `            set inner ${inner.map(nameOf).join(" ")}`,
  ].join("\n");
}

/** A script for fish(1)'s completions folder. */
export function renderFish(tree: Tree): string {
  const all = flattenTree(tree);
  const running = all.flatMap(({ path, words }) => (words === "command" ? [quote(path)] : []));
  return `# Completion of tsbox for fish, made by: tsbox completion fish

# Prints the command that is being written, and as a second line the number of the word that begins what is to be run.
function __tsbox_place
    set -l words (commandline -opc)
    set -l place ''
    set -l i 2
    while test $i -le (count $words)
        set -l valued
        set -l inner
        switch $place
${all.map(renderKnown).join("\n")}
        end
        set -l word $words[$i]
        if test "$word" = --
            set i (math $i + 1)
            contains -- "$place" ${running.join(" ")}
            and printf '%s\\n' "$place" $i
            or printf '%s\\n' "$place" 0
            return
        else if string match -qr -- '^-.' "$word"
            contains -- "$word" $valued
            and set i (math $i + 1)
        else if contains -- "$word" $inner
            set place (string trim -- "$place $word")
        else if contains -- "$place" ${running.join(" ")}
            printf '%s\\n' "$place" $i
            return
        end
        set i (math $i + 1)
    end
    printf '%s\\n' "$place" 0
end

function __tsbox_at
    set -l place (__tsbox_place)
    test "$place[1]" = "$argv[1]" -a "$place[2]" = 0
end

function __tsbox_runs
    set -l place (__tsbox_place)
    contains -- "$place[1]" ${running.join(" ")}
    and begin
        test "$place[2]" != 0
        or not string match -q -- '-*' (commandline -ct)
    end
end

function __tsbox_payload
    set -l place (__tsbox_place)
    set -l words (commandline -opc)
    set -l rest
    test "$place[2]" != 0 -a "$place[2]" -le (count $words)
    and set rest (string escape -- $words[$place[2]..-1])
    complete -C(string join ' ' -- $rest (commandline -ct))
end

complete -c tsbox -f
complete -c tsbox -n __tsbox_runs -a '(__tsbox_payload)'
${all.flatMap((each) => [...each.options.map((option) => renderOption(each, option)), ...renderWords(each)]).join("\n")}
`;
}

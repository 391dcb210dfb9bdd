/** What packaging/apparmor/tsbox is for as it is: where `npm install --global` puts the launcher as root. */
const GLOBAL = /^\/usr\/(?:local\/)?lib\/node_modules\/tsbox\/dist\/launcher\/(?:x86_64|aarch64)\/tsbox-launcher$/;

/** Characters that stand for themselves to a shell, to sed and to AppArmor, whose paths have wildcards. */
const PLAIN = /^[\w./+-]+$/;

/** The launcher, and bin/tsbox of the same package, which plays plans that are kept. */
const bothOf = (launcher: string): string => launcher.replace(/\/dist\/.*$/, (rest) => `/{bin/tsbox,${rest.slice(1)}}`);

const INSTALLED = "/etc/apparmor.d/tsbox";

/**
 * The command that allows user namespaces to the programs that play plans on a system that restricts them by AppArmor.
 *
 * AppArmor goes by the path of the program that is executed, which differs by how tsbox was installed: `launcher` is the
 * canonical one.
 */
export function profileCommand(packageDir: string, launcher: string): string {
  if (![packageDir, launcher].every((path) => PLAIN.test(path))) {
    return "install tsbox below a path of letters, digits and ._+- only, where AppArmor's profiles can name it";
  }
  const shipped = `${packageDir}/packaging/apparmor/tsbox`;
  const write = GLOBAL.test(launcher)
    ? `cp ${shipped} ${INSTALLED}`
    : `sed 's|^@{tsbox_launcher} = .*|@{tsbox_launcher} = ${bothOf(launcher)}|' ${shipped} > ${INSTALLED}`;
  return `as root: ${write} && apparmor_parser -r ${INSTALLED}`;
}

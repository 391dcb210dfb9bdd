import { fileURLToPath } from "node:url";

/** Where the package and the user's configuration are. */
export function places(): { readonly packageDir: string; readonly configHome: string | undefined } {
  // dist/cli.js and dist/chunks/*.js are bundled from here: the package is above dist/.
  const file = fileURLToPath(import.meta.url);
  const packageDir = file.slice(0, file.lastIndexOf("/dist/"));
  const { XDG_CONFIG_HOME: config, HOME: home } = process.env;
  const configHome =
    config !== undefined && config !== "" ? config : home === undefined ? undefined : `${home}/.config`;
  return { packageDir, configHome };
}

/** Whether `path` lies in the directory `folder`, at any depth; both absolute and normalised. */
export const isBelow = (path: string, folder: string): boolean =>
  folder === "/" ? path !== "/" : path.startsWith(`${folder}/`);

/** The same, or `folder` itself. */
export const isAtOrBelow = (path: string, folder: string): boolean => path === folder || isBelow(path, folder);

// What bench/syscall.mjs runs, bundled: prints strict's filter as libseccomp makes it, an array of struct sock_filter.
import { compileFilter } from "../src/host/filter.ts";
import { prepareFilter } from "../src/run/prepare.ts";
import { encodeProgram } from "../src/sys/bpf.ts";

const packageDir = process.cwd();
const request = { profile: "strict", overrides: {}, configHome: undefined, packageDir, cwd: undefined, streams: [] };
const { spec } = prepareFilter(request);
process.stdout.write(encodeProgram(compileFilter(spec)));

import { describe, expect, it } from "vitest";
import { parseHardLimits, probeHardLimits } from "../../src/host/limit.ts";
import { RLIMIT_NAMES } from "../../src/profile/profile.ts";

/** /proc/self/limits of Linux 6.1, proc_pid_limits(5). */
const TABLE = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            9223372036854775807  bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    0                    bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             63432                63432                processes 
Max open files            1024                 1048576              files     
Max locked memory         8388608              8388608              bytes     
Max address space         unlimited            unlimited            bytes     
Max file locks            unlimited            unlimited            locks     
Max pending signals       63432                63432                signals   
Max msgqueue size         819200               819200               bytes     
Max nice priority         0                    0                    
Max realtime priority     0                    99                   
Max realtime timeout      unlimited            unlimited            us        
`;

describe("hard limits", () => {
  it("are read from the second column, also of rows without a unit", () =>
    expect(parseHardLimits(TABLE)).toEqual({
      core: 0,
      fsize: Number.MAX_SAFE_INTEGER,
      memlock: 8_388_608,
      msgqueue: 819_200,
      nice: 0,
      nofile: 1_048_576,
      nproc: 63_432,
      rtprio: 99,
      sigpending: 63_432,
    }));

  it("are never above what the kernel says, though a number cannot hold it", () =>
    expect(BigInt(parseHardLimits(TABLE).fsize ?? 0)).toBeLessThanOrEqual(9_223_372_036_854_775_807n));

  it("are those that a table has, of other tables none", () => {
    for (const text of [
      "",
      "\n",
      "Max open files",
      "Max open files 1",
      "Max open files 1 many files",
      "max open files 1 2",
    ])
      expect(parseHardLimits(text)).toEqual({});
  });

  it("can be read of this process", () => {
    for (const [name, limit] of Object.entries(probeHardLimits())) {
      expect(RLIMIT_NAMES).toContain(name);
      expect(limit).toBeGreaterThanOrEqual(0);
    }
  });
});

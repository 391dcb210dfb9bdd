import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished } from "vitest";
import { needBackend } from "../support/backend.ts";
import { makeProject } from "../support/project.ts";
import { type Play, playBare, playRow, playRows } from "../work/play.ts";

/** The row with the port of a server that runs now. */
const withServer =
  (play: Play): Play =>
  async (row) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const port = String((server.address() as AddressInfo).port);
    const withPort = { ...row, command: row.command.map((word) => (word === "PORT" ? port : word)) };
    expect((await playBare(withPort, makeProject())).code).toBe(0);
    await play(withPort);
  };

playRows("network", {
  localhost: withServer(async (row) => {
    const { code, stderr } = await playRow(row, makeProject());
    expect(code).not.toBe(0);
    expect(stderr).toContain("Connection refused");
  }),
  "localhost-user": withServer(async (row) => {
    needBackend();
    const { code, stderr } = await playRow(row, makeProject());
    expect(code).not.toBe(0);
    expect(stderr).toContain("Connection refused");
  }),
  "localhost-host": withServer(async (row) => {
    expect(await playRow(row, makeProject())).toMatchObject({ code: 0, stderr: "" });
  }),
});

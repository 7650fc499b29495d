// A real hub as a process: prepared, started, killed without warning, started again.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { until } from "./pages.mjs";

const PREPARE_WITHIN_MS = 120_000;
const READY_WITHIN_MS = 60_000;

/**
 * @param {{ program: string, pages: string, url: string, ownerUrl: string }} setting
 * @returns {Promise<Hub>}
 */
export async function prepareHub({ program, pages, url, ownerUrl }) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "tandem-e2e-"));
  const port = await freePort();
  const env = {
    ...process.env,
    DATABASE_URL: url,
    TANDEM_PORT: String(port),
    TANDEM_DATA: data,
    TANDEM_WEB_DIR: pages,
  };
  await runToEnd(program, ["migrate"], { ...env, DATABASE_OWNER_URL: ownerUrl });
  await runToEnd(program, ["seed", "--demo"], { ...env, DATABASE_OWNER_URL: ownerUrl });
  return new Hub(program, env, port, data);
}

export class Hub {
  /** @type {import("node:child_process").ChildProcess | null} */
  child = null;
  log = "";

  /** @param {string} program @param {NodeJS.ProcessEnv} env @param {number} port @param {string} data */
  constructor(program, env, port, data) {
    this.program = program;
    this.env = env;
    this.data = data;
    this.address = `http://127.0.0.1:${port}`;
  }

  /** Answers when the hub is ready for visitors. */
  async start() {
    const child = spawn(this.program, ["serve"], { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    const keep = (/** @type {Buffer} */ said) => {
      this.log = (this.log + said).slice(-20_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    await until(
      "the hub is ready",
      async () => {
        if (child.exitCode !== null) throw new Error(`the hub ended (${child.exitCode}):\n${this.log}`);
        return fetch(`${this.address}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      READY_WITHIN_MS,
    );
  }

  /** kill -9: nothing is said, nothing is finished. */
  async kill() {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const over = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await over;
  }

  async end() {
    await this.kill();
    fs.rmSync(this.data, { recursive: true, force: true });
  }
}

/** @param {string} program @param {string[]} args @param {NodeJS.ProcessEnv} env */
async function runToEnd(program, args, env) {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: PREPARE_WITHIN_MS });
  let said = "";
  child.stdout.on("data", (part) => {
    said += part;
  });
  child.stderr.on("data", (part) => {
    said += part;
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${path.basename(program)} ${args.join(" ")} failed (${code}):\n${said}`);
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

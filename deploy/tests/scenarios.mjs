// Every scenario of the load tester once, tiny, against a real hub: each gets through, its oracle finds nothing, and its report
// holds what it promises. `node deploy/tests/scenarios.mjs FOLDER`, where FOLDER holds the programs `hub` and `loadtest`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { prepareDatabases, urlOf } from '../databases.mjs';
import { isReady, migrateHub, ROOM_FOR_LOAD, seedFleet, serveHub } from '../hub.mjs';
import { freePort } from '../ports.mjs';
import { newPassword } from '../postgres.mjs';
import { exitOf, signal } from '../processes.mjs';
import { giveUp, Plain, say } from '../say.mjs';
import { withThrowawayCluster } from '../throwaway.mjs';

const SLOWEST_MS = 120_000;
/** Pings come often enough to be seen in a second or two. */
const OTHERS = { ...ROOM_FOR_LOAD, TANDEM_SOCKET_HEARTBEAT_MS: '700' };

/**
 * @typedef {(report: any) => void} Check
 * @typedef {{ line: string, check: Check, killsHub?: boolean, mayMiss?: boolean }} Trial
 * killsHub: the hub is killed and started again when the load tester waits for that; mayMiss: on a busy machine the scenario
 * need not get what it demands
 */

/** @type {Trial[]} */
const trials = [
  {
    line: 'thread --tickets 5 --subscribers 3 --rate 40 --ramp 500ms --duration 2s --codec mixed --from 127.0.0.2-127.0.0.4',
    check: ({ replies, load }) => assert.deepEqual([replies.acked, replies.not_settled, load.codec], [replies.offered, 0, 'mixed']),
  },
  {
    line: 'resume --tickets 5 --subscribers 3 --rate 40 --ramp 500ms --duration 2s --cut-every 500ms --codec mixed',
    check: ({ replies, connections }) => assert(replies.not_settled === 0 && connections.cut_by_driver > 0),
  },
  ...['none', 'workspace', 'thread'].map((topics) => ({
    line: `connect --sockets 120 --rate 300/s --duration 1500ms --topics ${topics} --from 127.0.0.2,127.0.0.3 --codec mixed`,
    check: /** @type {Check} */ ({ own: { connect } }) => {
      assert.deepEqual([connect.alive_at_end, connect.failed, connect.lost], [120, {}, {}]);
      assert.equal(connect.subscribe_ms.count, topics === 'none' ? 0 : 120);
      assert(connect.pings_answered >= 120, `${connect.pings_answered} pings`);
    },
  })),
  ...['rst', 'close'].map((cut) => ({
    line: `storm --sockets 60 --tickets 5 --rate 20 --calm 300ms --repeat 2 --within 60s --cut ${cut} --codec mixed`,
    check: wentThrough(2, 60),
  })),
  { line: 'storm --sockets 60 --tickets 5 --rate 20 --calm 300ms --within 90s --cut kill', check: wentThrough(1, 60), killsHub: true },
  {
    line: 'stall --sockets 20 --stalled 20 --rate 40 --body-bytes 16000 --ramp 500ms --duration 4s',
    check: ({ own: { stall }, delivery_ms: delivery }) => {
      // when a hub cuts off is the hub's matter, and longer than a smoke test
      const ends = /** @type {number[]} */ (Object.values(stall.found_at_end));
      assert.deepEqual([stall.stalled, stall.not_cut + stall.cut_after_stop_ms.count, ends.reduce((a, b) => a + b)], [4, 4, 4]);
      assert(stall.kernel_bytes_max > 16_000 && delivery.count > 1_000);
    },
  },
  {
    line: 'stall --sockets 20 --stalled 0 --rate 40 --ramp 500ms --duration 2s',
    check: ({ own: { stall } }) => assert.deepEqual([stall.stalled, stall.cut_after_stop_ms.count], [0, 0]),
  },
  {
    line: 'overload --tickets 5 --subscribers 3 --rate 20 --overload 3 --ramp 500ms --baseline 2s --duration 2s --recovery 3s',
    check: ({ own: { overload } }) => {
      assert.deepEqual(overload.phases.map((/** @type {any} */ phase) => [phase.name, phase.offered]), [['baseline', 40], ['overload', 120], ['recovery', 60]]);
      for (const phase of overload.phases) {
        assert.equal(phase.accepted + phase.accepted_late + phase.given_up + phase.unanswered + phase.not_sent, phase.offered, phase.name);
      }
    },
    mayMiss: true,
  },
  {
    line: 'collide --agents 20 --tickets 4 --every 250ms --cut-every 4s --duration 8s --codec mixed',
    check: ({ own: { collide }, connections }) => {
      assert.deepEqual([collide.agents, collide.manner], [20, 'walk']);
      for (const action of ['compose', 'save_draft', 'reply', 'hold', 'take_claim', 'hand_over']) assert(collide.actions[action] > 0, action);
      for (const event of ['claim_taken', 'claim_released', 'reply_held', 'handed_over']) assert(collide.events[event] > 0, event);
      assert(collide.presence_ms.count > 0 && collide.claim_ms.count > 0 && collide.signals > 0 && connections.cut_by_driver > 0);
    },
  },
  {
    line: 'collide --manner crowd --agents 20 --tickets 1 --every 1s --cut-every 1h --duration 4s',
    check: ({ own: { collide } }) => assert(collide.actions.leave > 10 && collide.presence_frames_per_s_max > 0),
  },
  {
    line: 'collide --manner blind --agents 10 --tickets 2 --every 50ms --cut-every 1h --duration 30s --refusals 100',
    check: ({ own: { collide } }) => assert.deepEqual([collide.refused.stale >= 100, collide.events.reply_posted], [true, 2]),
  },
  {
    line: 'resident --tickets 200 --sockets 10 --codec mixed',
    check: ({ own: { resident } }) => assert.deepEqual([resident.woken, resident.failed, resident.wake_ms.count], [200, {}, 200]),
  },
];

/**
 * @param {number} rounds
 * @param {number} sockets
 * @returns {Check}
 */
function wentThrough(rounds, sockets) {
  return ({ own: { storm } }) => {
    assert.deepEqual(storm.rounds.map((/** @type {any} */ round) => [round.lost, round.not_back]), Array(rounds).fill([sockets, 0]));
    assert(storm.rounds.every((/** @type {any} */ round) => round.resume_ms.count === sockets && round.attempts >= sockets));
  };
}

/** A hub that can be killed and started again. */
class Hub {
  /** @param {import('../hub.mjs').Setting} setting */
  constructor(setting) {
    this.setting = setting;
  }

  async start() {
    this.serving = serveHub(this.setting);
    let isOver = false;
    this.ended = this.serving.exit.catch(() => {}).finally(() => { isOver = true; });
    if (!(await isReady(this.setting.port, () => isOver))) throw new Plain('The hub did not become ready; its own words are above.');
  }

  async kill() {
    this.serving?.kill();
    await this.ended;
  }
}

/**
 * @param {string} program
 * @param {Trial} trial
 * @param {Hub} hub
 * @param {string} tokens
 */
async function run(program, { line, check, killsHub = false, mayMiss = false }, hub, tokens) {
  const report = path.join(path.dirname(tokens), 'report.json');
  fs.rmSync(report, { force: true });
  const told = [...line.split(' '), '--url', `ws://127.0.0.1:${hub.setting.port}/ws`, '--tokens', tokens, '--json', report];
  const child = spawn(program, told, { stdio: ['ignore', 'pipe', 'pipe'] });
  const alarm = setTimeout(() => child.pid && signal(child.pid, 'SIGKILL'), SLOWEST_MS);
  let words = '';
  /** @type {Promise<void> | undefined} */
  let restarted;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      words += chunk;
      if (killsHub && !restarted && words.includes('waiting for somebody to end')) restarted = hub.kill().then(() => hub.start());
    });
  }
  const startedMs = Date.now();
  const code = await exitOf(child, program);
  clearTimeout(alarm);
  await restarted;
  const found = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')) : null;
  const isClean = found?.breaches.length === 0 && (code === 0 || (mayMiss && code === 1 && found.unmet.length > 0));
  if (!isClean) throw new Plain(`loadtest ${line} failed (exit ${code}):\n${words}`);
  try {
    check(found);
  } catch (error) {
    throw new Plain(`loadtest ${line}: ${/** @type {Error} */ (error).message}\n${words}`);
  }
  say(`${line.split(' --')[0]} went through in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** @param {string} programs the folder of both */
function everyScenario(programs) {
  return withThrowawayCluster({ isFast: true }, async (running, interruption, folder) => {
    const passwords = { superuser: newPassword(), owner: newPassword(), app: newPassword() };
    await prepareDatabases(running, passwords);
    const data = path.join(folder, 'hub');
    fs.mkdirSync(data);
    const hub = new Hub({
      program: path.join(programs, 'hub'),
      port: await freePort(),
      data,
      pages: '',
      url: urlOf(running.port, 'tandem_app', passwords.app, 'tandem'),
      ownerUrl: urlOf(running.port, 'tandem_owner', passwords.owner, 'tandem'),
      others: OTHERS,
    });
    const tokens = path.join(folder, 'tokens');
    await migrateHub(hub.setting);
    await seedFleet(hub.setting, 'agents=20,customers=20,tickets=200', tokens);
    try {
      await hub.start();
      for (const trial of trials) {
        if (interruption.code) return interruption.code;
        await run(path.join(programs, 'loadtest'), trial, hub, tokens);
      }
    } finally {
      await hub.kill();
    }
    return 0;
  });
}

try {
  const [programs] = process.argv.slice(2);
  if (!programs) throw new Plain('Usage: node deploy/tests/scenarios.mjs FOLDER, which holds the programs hub and loadtest', 2);
  process.exitCode = await everyScenario(path.resolve(programs));
} catch (error) {
  giveUp(error);
}

// What /proc tells of processes: processor time and memory, of one or of a server with all its children.
import fs from 'node:fs';

/** Ticks per second in /proc (USER_HZ): 100 on every common Linux. */
const PROC_HZ = 100;
const PAGE_BYTES = 4096;

/**
 * @typedef {{ cpuUs: number, rssBytes: number, pssBytes: number, processes: number }} Usage
 * cpuUs: user and system time of all threads since the start; rssBytes counts shared pages in every process that touched
 * them, pssBytes shares them out, so that only its sum over processes is memory
 */

/**
 * One process, all its threads.
 * @param {number} pid
 * @returns {Usage}
 */
export function usageOf(pid) {
  const { ownTicks } = statOf(pid);
  return { cpuUs: inUs(ownTicks), ...memoryOf(pid), processes: 1 };
}

/**
 * A server with all its children, those included that have ended meanwhile.
 * @param {number} pid
 * @returns {Usage}
 */
export function usageOfFamily(pid) {
  const { ownTicks, reapedTicks } = statOf(pid);
  const sum = { cpuUs: inUs(ownTicks + reapedTicks), ...memoryOf(pid), processes: 1 };
  for (const child of childrenOf(pid)) {
    try {
      const each = usageOf(child);
      sum.cpuUs += each.cpuUs;
      sum.rssBytes += each.rssBytes;
      sum.pssBytes += each.pssBytes;
      sum.processes += 1;
    } catch { /* it has ended since it was listed: the server reaps its time */ }
  }
  return sum;
}

/** @param {number} pid */
function statOf(pid) {
  return parseStat(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/**
 * The name in parentheses may hold spaces; utime, stime, cutime and cstime are the 12th to 15th field after it.
 * @param {string} text
 */
export function parseStat(text) {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system, reapedUser, reapedSystem] = fields.slice(11, 15).map(Number);
  return { parent: Number(fields[1]), ownTicks: user + system, reapedTicks: reapedUser + reapedSystem };
}

/** @param {number} ticks */
const inUs = (ticks) => (ticks * 1e6) / PROC_HZ;

/** @param {number} pid */
function childrenOf(pid) {
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((each) => {
    try {
      return statOf(each).parent === pid;
    } catch {
      return false;
    }
  });
}

/** @param {number} pid */
function memoryOf(pid) {
  const pages = Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return { rssBytes: pages * PAGE_BYTES, pssBytes: parsePss(readOr(`/proc/${pid}/smaps_rollup`, '')) };
}

/**
 * @param {string} text of smaps_rollup
 * @returns {number} bytes; not a number where the kernel does not tell
 */
export function parsePss(text) {
  const found = text.match(/^Pss:\s+(\d+) kB$/m);
  return found ? Number(found[1]) * 1024 : Number.NaN;
}

/**
 * @param {string} file
 * @param {string} otherwise
 */
function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

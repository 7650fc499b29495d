// Ports on loopback: is one free, and which one to take.
import net from 'node:net';

/**
 * @param {number} port 0 asks the system for any free one
 * @returns {Promise<number | null>} the port that could be taken, or null
 */
function tryPort(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(null));
    probe.listen({ host: '127.0.0.1', port }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}

/** @param {number} port */
export async function isFree(port) {
  return (await tryPort(port)) !== null;
}

/**
 * The preferred port when it is free, else one that is.
 * @param {number} [preferred]
 * @returns {Promise<number>}
 */
export async function freePort(preferred = 0) {
  const port = (await tryPort(preferred)) ?? (await tryPort(0));
  if (port === null) throw new Error('no free port on 127.0.0.1');
  return port;
}

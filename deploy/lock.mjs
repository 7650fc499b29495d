// One launcher per data folder. The lock is a socket name in the kernel's own namespace:
// it is taken atomically and forgotten when its holder dies, however it dies.
import { createHash } from 'node:crypto';
import net from 'node:net';

/**
 * @param {string} folder
 * @returns {Promise<{ release: () => void } | null>} null when somebody else holds it
 */
export function lock(folder) {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  const holder = net.createServer((visitor) => visitor.end(String(process.pid)));
  return new Promise((resolve, reject) => {
    holder.once('error', (error) => {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    holder.listen(`\0tandem-launcher-${name}`, () => {
      holder.unref();
      resolve({ release: () => holder.close() });
    });
  });
}

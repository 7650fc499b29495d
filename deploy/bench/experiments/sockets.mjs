// What an open socket costs in memory, once it has said hello; and one that watches a ticket.
const SIZE = { sockets: 5000, rate: 1000, seconds: 4 };
const SMOKE = { sockets: 100, rate: 100, seconds: 2 };

/** @type {import('../record.mjs').Experiment} */
export const sockets = {
  name: 'sockets',
  question: 'how much memory does an open socket take?',
  method: '5,000 sockets are opened, welcomed and held; the hub\'s resident memory before the first and the most of it until the ' +
    'last is closed. What the kernel holds for a socket is not in it.',
  variants: {
    idle: 'has said hello and watches nothing',
    watching: 'watches a ticket, 100 tickets together',
  },
  rounds: 3,
  figures: [
    { key: 'bytes_per_socket', words: 'resident memory per socket', unit: 'B' },
    { key: 'before_mib', words: 'resident memory without sockets', unit: 'MiB' },
    { key: 'most_mib', words: 'most resident memory with all of them', unit: 'MiB' },
    { key: 'welcome_p99_ms', words: 'hello to welcome, 99th percentile', unit: 'ms' },
    { key: 'alive', words: 'sockets alive to the end', unit: '' },
  ],
  goals: [
    { words: 'resident memory per idle socket', unit: 'B', atMost: 16 * 1024, of: (s) => s.bytes_per_socket.idle.median },
  ],
  fleet: () => 'agents=100,customers=100,tickets=100',
  measure: (lab, variant, isSmoke) => lab.withHub({}, async (hub) => {
    const { sockets: count, rate, seconds } = isSmoke ? SMOKE : SIZE;
    const before = hub.usage().rssBytes;
    const { report, samples } = await hub.drive(['connect', '--sockets', `${count}`, '--rate', `${rate}`, '--duration', `${seconds}s`,
      '--topics', variant === 'idle' ? 'none' : 'thread']);
    const most = Math.max(...samples.map((sample) => sample.hub.rssBytes));
    const { alive_at_end: alive, welcome_ms: welcome } = report.own.connect;
    return {
      bytes_per_socket: (most - before) / alive,
      before_mib: before / 2 ** 20,
      most_mib: most / 2 ** 20,
      welcome_p99_ms: welcome.p99,
      alive,
    };
  }),
};

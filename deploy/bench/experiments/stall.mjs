// What those who read pay for those who do not.
import { steadyPart } from '../window.mjs';

/** In percent; a sixth of 300 sockets. */
const STALLED = 17;
const SIZE = { sockets: 300, rate: 20, tickets: 10, seconds: 22 };
const SMOKE = { sockets: 24, rate: 5, tickets: 2, seconds: 4 };

/** @type {import('../record.mjs').Experiment} */
export const stall = {
  name: 'stall',
  question: 'what do sockets that read pay for sockets that do not?',
  method: '300 sockets watch 10 tickets with 20 events of 2 KB a second each; 51 of the sockets stop reading for good.',
  variants: {
    none: 'everybody reads',
    stalled: '51 sockets stop reading',
  },
  rounds: 5,
  figures: [
    { key: 'hub_us_per_delivery', words: 'hub, processor time per event received by those who read', unit: 'µs' },
    { key: 'delivery_p50_ms', words: 'delivery to those who read, median', unit: 'ms' },
    { key: 'delivery_p99_ms', words: 'delivery to those who read, 99th percentile', unit: 'ms' },
    { key: 'grew_mib', words: 'resident memory of the hub, most over what it was when the load had reached its rate', unit: 'MiB' },
    { key: 'cut_max_s', words: 'from the last byte read until the hub ended the connection, slowest', unit: 's' },
    { key: 'cut_after_full_max_s', words: 'from when the kernel took no more bytes for it until the hub ended the connection, slowest', unit: 's' },
    { key: 'not_cut', words: 'sockets that the hub did not cut off', unit: '' },
  ],
  goals: [
    { words: 'processor time per event received, stalled over none', unit: '×', atMost: 1.2, of: (s) => s.hub_us_per_delivery.ratio.median },
    { words: 'median delivery, stalled over none', unit: '×', atMost: 1.2, of: (s) => s.delivery_p50_ms.ratio.median },
    { words: 'resident memory grows by', unit: 'MiB', atMost: 50, of: (s) => s.grew_mib.stalled.max },
    { words: 'a socket for which the kernel takes no more bytes is cut off within', unit: 's', atMost: 20, of: (s) => s.cut_after_full_max_s.stalled.max },
    { words: 'sockets that the hub did not cut off', unit: '', atMost: 0, of: (s) => s.not_cut.stalled.max },
  ],
  fleet: () => 'agents=100,customers=100,tickets=100',
  measure: (lab, variant, isSmoke) => lab.withHub({}, async (hub) => {
    const { sockets, rate, tickets, seconds } = isSmoke ? SMOKE : SIZE;
    const { report, samples } = await hub.drive(['stall', '--sockets', `${sockets}`, '--stalled', `${variant === 'none' ? 0 : STALLED}`,
      '--tickets', `${tickets}`, '--rate', `${rate}`, '--ramp', '2s', '--duration', `${seconds}s`, '--seed', '7']);
    const steady = steadyPart(report, samples);
    const atRate = samples.find((sample) => sample.atMs >= steady.fromMs) ?? samples[0];
    const { cut_after_stop_ms: cut, cut_after_full_ms: cutAfterFull, not_cut: notCut } = report.own.stall;
    return {
      hub_us_per_delivery: steady.cpuUs.hub / steady.delivered,
      delivery_p50_ms: report.delivery_ms.p50,
      delivery_p99_ms: report.delivery_ms.p99,
      grew_mib: (Math.max(...samples.map((sample) => sample.hub.rssBytes)) - atRate.hub.rssBytes) / 2 ** 20,
      cut_max_s: cut.max / 1000,
      cut_after_full_max_s: cutAfterFull.max / 1000,
      not_cut: notCut,
    };
  }),
};

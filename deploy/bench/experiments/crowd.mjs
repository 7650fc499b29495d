// Two hundred people come to one ticket and go: nobody who looks on is flooded.
import { steadyPart } from '../window.mjs';

const SIZE = { agents: 210, seconds: 10 };
const SMOKE = { agents: 30, seconds: 4 };

/** @type {import('../record.mjs').Experiment} */
export const crowd = {
  name: 'crowd',
  question: 'what are those who look on shown when 200 agents come to one ticket and go?',
  method: '200 agents join and leave one ticket, each every 5 s on average and so at least once within 10 s, while ten others look on. ' +
    'The most presence frames that one viewer was sent within any second are counted; the oracle checks that nobody is shown who has ' +
    'left. Changes are gathered for a tenth of a second; the goal leaves room for frames that the machine bunches together.',
  variants: { crowd: '200 come and go, ten look on' },
  rounds: 1,
  figures: [
    { key: 'frames_per_s', words: 'presence frames within a second, most for one viewer', unit: '' },
    { key: 'comings_and_goings_per_s', words: 'joined or left, per second', unit: '/s' },
    { key: 'signals_per_s', words: 'signals received by all of them, per second', unit: '/s' },
    { key: 'hub_us_per_signal', words: 'hub, processor time per signal received, everything else it did included', unit: 'µs' },
  ],
  goals: [{ words: 'presence frames within a second for one viewer', unit: '', atMost: 11, of: (s) => s.frames_per_s.crowd.max }],
  fleet: (isSmoke) => (isSmoke ? 'agents=30,customers=1,tickets=1' : 'agents=210,customers=1,tickets=1'),
  measure: (lab, _variant, isSmoke) => lab.withHub({}, async (hub) => {
    const { agents, seconds } = isSmoke ? SMOKE : SIZE;
    const { report, samples } = await hub.drive(['collide', '--manner', 'crowd', '--agents', `${agents}`, '--tickets', '1', '--every', '5s',
      '--cut-every', '1h', '--duration', `${seconds}s`, '--seed', '7']);
    const { collide: own } = report.own;
    const steady = steadyPart(report, samples);
    return {
      frames_per_s: own.presence_frames_per_s_max,
      comings_and_goings_per_s: ((own.actions.leave ?? 0) * 2) / report.load.measured_s,
      signals_per_s: own.signals_per_s,
      hub_us_per_signal: steady.cpuUs.hub / steady.seconds / own.signals_per_s,
    };
  }),
};

/** Every disease that the doctor knows, as a way to make a patient that has it. What is found: doctor.test.ts. */

import type { DoctorRecords } from '../../src/monitor/doctor/records.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { careful, changeHead, look, Patient, scaleBy, train, vocabulary, write } from './patient.js';

/** A healthy model of a seed, trained once. */
const trained = new Map<number, ReadonlyMap<string, ArrayLike<number>>>();

export function healthy(seed: number): Patient {
  const model = new Patient(seed);
  const known = trained.get(seed);
  if (known) for (const [name, parameter] of model.parameters()) parameter.write(known.get(name) ?? []);
  else {
    train(model, seed, careful);
    trained.set(seed, new Map([...model.parameters()].map(([name, parameter]) => [name, parameter.toArray()])));
  }
  return model;
}

export interface Disease {
  /** What was done to the model. */
  readonly fault: string;
  /** The rule that must find it, as a warning or worse. */
  readonly rule: string;
  readonly make: (seed: number) => DoctorRecords;
  /** The same without the fault. */
  readonly twin: keyof typeof twins;
  readonly against?: (seed: number) => DoctorRecords;
}

const brief = { ...careful, steps: 60 };

/** Healthy models by how they came about. */
export const twins = {
  trained: once((seed) => look(healthy(seed))),
  'trained for 60 steps': once((seed) => look(train(new Patient(seed), seed, brief))),
  'encoder, 60 steps': once((seed) => look(train(new Patient(seed, { bothWays: true }), seed, brief))),
  'watched over 60 steps': once((seed) => overTraining(new Patient(seed), seed, brief)),
  untrained: once((seed) => look(new Patient(seed))),
  'untrained encoder, 6 layers': once((seed) => look(new Patient(seed, { bothWays: true, layers: 6 }))),
};

const onOtherData = once((seed) => look(healthy(seed), 1, 7));

export const diseases: readonly Disease[] = [
  {
    fault: 'trained with the causal mask forgotten',
    rule: 'causal-leak',
    make: (seed) => look(train(new Patient(seed, { seesFuture: true }), seed, brief)),
    twin: 'trained for 60 steps',
  },
  {
    // With the causal mask real queries never see the padding behind them, so the model reads both ways.
    fault: 'an encoder trained without a padding mask',
    rule: 'padding-leak',
    make: (seed) => look(train(new Patient(seed, { bothWays: true, seesPadding: true }), seed, brief)),
    twin: 'encoder, 60 steps',
  },
  {
    fault: 'a length of 0 in the mask',
    rule: 'masked-row',
    make: (seed) => look(new Patient(seed, { emptyMask: true })),
    twin: 'untrained',
  },
  { fault: 'a weight is NaN', rule: 'nan', make: (seed) => look(withNaN(healthy(seed))), twin: 'trained' },
  {
    fault: 'trained at too high a rate, no warm-up',
    rule: 'logit-growth',
    make: tooFast,
    twin: 'watched over 60 steps',
  },
  {
    fault: 'trained at too high a rate, no warm-up',
    rule: 'entropy-collapse',
    make: tooFast,
    twin: 'watched over 60 steps',
  },
  {
    fault: 'trained with the scale left out, too fast',
    rule: 'saturated-softmax',
    make: unscaled,
    twin: 'watched over 60 steps',
  },
  {
    fault: 'skip connections left out',
    rule: 'rank-collapse',
    make: (seed) => look(new Patient(seed, { bothWays: true, layers: 6, skipless: true })),
    twin: 'untrained encoder, 6 layers',
  },
  {
    fault: 'one embedding value of 5000',
    rule: 'massive-activation',
    make: (seed) => look(withMassive(healthy(seed))),
    twin: 'trained',
  },
  {
    fault: 'a head zeroed',
    rule: 'inactive-head',
    make: (seed) => look(withZeroedHead(healthy(seed))),
    twin: 'trained',
  },
  {
    fault: 'a head copied',
    rule: 'redundant-heads',
    make: (seed) => look(withTwinHeads(healthy(seed))),
    twin: 'trained',
  },
  {
    fault: 'queries of a head zeroed',
    rule: 'uniform-head',
    make: (seed) => look(withoutQueries(healthy(seed))),
    twin: 'trained',
  },
  {
    fault: 'every head avoids one token',
    rule: 'zero-attention',
    make: (seed) => look(drawnTo(healthy(seed), vocabulary - 1, -1)),
    twin: 'trained',
  },
  {
    fault: 'every head drawn to the first token',
    rule: 'attention-sink',
    make: (seed) => look(drawnTo(healthy(seed), 0, 1)),
    twin: 'trained',
  },
  {
    fault: 'one token takes the attention',
    rule: 'uneven-attention',
    make: (seed) => look(drawnTo(healthy(seed), 0, 1)),
    twin: 'trained',
    against: onOtherData,
  },
  {
    fault: 'queries twenty times as long',
    rule: 'drift',
    make: (seed) => look(sharpened(healthy(seed))),
    twin: 'trained',
    against: onOtherData,
  },
];

/** Remembers what was made of the last seed, because diseases share their twins. */
function once(make: (seed: number) => DoctorRecords): (seed: number) => DoctorRecords {
  let known: { readonly seed: number; readonly records: DoctorRecords } | undefined;
  return (seed) => {
    if (known?.seed !== seed) known = { seed, records: make(seed) };
    return known.records;
  };
}

/** What it looks like every 10 steps, because growth is seen over steps only. */
function tooFast(seed: number): DoctorRecords {
  return overTraining(new Patient(seed), seed, { steps: 60, rate: 0.3, warmup: 0 });
}

function unscaled(seed: number): DoctorRecords {
  return overTraining(new Patient(seed, { unscaled: true }), seed, { steps: 60, rate: 0.1, warmup: 0 });
}

function overTraining(model: Patient, seed: number, treatment: Parameters<typeof train>[2]): DoctorRecords {
  const seen: DoctorRecords[] = [];
  const each = (step: number): void => {
    if (step % 10 === 0) seen.push(look(model, step));
  };
  train(model, seed, { ...treatment, each });
  return { ...seen.at(-1), heads: seen.flatMap(({ heads: found }) => found) };
}

function firstAttention(model: Patient): Patient['blocks'][number]['attention'] {
  return (model.blocks[0] as Patient['blocks'][number]).attention;
}

function withNaN(model: Patient): Patient {
  write(firstAttention(model).q.weight, (value, at) => (at === 3 ? Number.NaN : value));
  return model;
}

function withMassive(model: Patient): Patient {
  write(model.embedding.weight, (value, at) => (at === 5 ? 5000 : value));
  return model;
}

function withZeroedHead(model: Patient): Patient {
  const { v } = firstAttention(model);
  for (const parameter of [v.weight, v.bias as Tensor]) changeHead(parameter, 1, () => 0);
  return model;
}

function withTwinHeads(model: Patient): Patient {
  for (const { weight, bias } of ['q', 'k', 'v'].map((name) => firstAttention(model)[name as 'q'])) {
    for (const parameter of [weight, bias as Tensor]) changeHead(parameter, 1, (_, at, values) => values[at] as number);
  }
  return model;
}

function withoutQueries(model: Patient): Patient {
  const { q } = firstAttention(model);
  for (const parameter of [q.weight, q.bias as Tensor]) changeHead(parameter, 1, () => 0);
  return model;
}

function sharpened(model: Patient): Patient {
  for (const { attention } of model.blocks) scaleBy(attention.q.weight, 20);
  return model;
}

/** Every query is the same, and keys are long along it where coordinate 0 marks `token`. */
function drawnTo(model: Patient, token: number, direction: 1 | -1): Patient {
  const width = model.embedding.weight.shape[1] as number;
  write(model.embedding.weight, (value, at) =>
    at % width === 0 ? 0 : Math.floor(at / width) === token ? value * 0.01 : value,
  );
  write(model.embedding.weight, (value, at) => (at === token * width ? 10 : value));
  for (const {
    attention: { q, k },
  } of model.blocks) {
    write(q.weight, () => 0);
    write(q.bias as Tensor, () => 4);
    write(k.weight, (_, at) => (at % width === 0 ? direction : 0));
  }
  return model;
}

/** Score programs as operands of the attention kernels: traced by scoreMod, from published formulas and by hand. */

import { type ScoreFormula, type ScoreProgram, scoreMod } from '../../../src/attention/index.js';
import { createReferenceBackend } from '../../../src/backend/reference/index.js';
import { RandomStream } from '../../../src/core/random.js';
import { sizeOf } from '../../../src/core/shape.js';
import { type Tensor, tensor } from '../../../src/tensor/index.js';
import { type Input, listed } from '../case.js';

const backend = createReferenceBackend();

/** The operands `program` and `captured` of a traced program. */
export function programInputs(program: ScoreProgram): { readonly program: Input; readonly captured?: Input } {
  const like = tensor([0], [1], { backend });
  const given = program.operands(like);
  const inputOf = (x: Tensor): Input =>
    listed(x.shape, Array.from(x.toArray()), { dtype: x.dtype === 'i32' ? 'i32' : 'f32' });
  return { program: inputOf(given.program as Tensor), ...(given.captured && { captured: inputOf(given.captured) }) };
}

/** A tensor of N(0, 1). */
export function table(shape: readonly number[], seed: number): Tensor {
  const random = new RandomStream(seed);
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
    shape,
    { backend },
  );
}

const ids = (values: readonly number[], shape: readonly number[]): Tensor =>
  tensor(values, shape, { dtype: 'i32', backend });

const traced = (formula: ScoreFormula) => programInputs(scoreMod(formula));

/** Press et al. 2022, §3: a penalty on distance, steeper from head to head. */
export function alibi(heads: number): ReturnType<typeof programInputs> {
  const slopes = tensor(
    Float32Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads)),
    [heads],
    { backend },
  );
  return traced((score, { h, q, k, lookup }) => score.add(lookup(slopes, h).multiply(k.subtract(q))));
}

/** Shaw-like: one number for each head and clipped distance. */
export function relativeBias(heads: number, reach: number): ReturnType<typeof programInputs> {
  const bias = table([heads, 2 * reach + 1], 31);
  return traced((score, { h, q, k, lookup }) =>
    score.add(lookup(bias, h, k.subtract(q).clamp(-reach, reach).add(reach))),
  );
}

export const programs = {
  nothing: traced((score) => score),
  /** Gemma 2, 2024, §2. */
  softcap: traced((score) => score.divide(5).tanh().multiply(5)),
  temperature: (() => {
    const inverse = table([], 32);
    return traced((score, { lookup }) => score.multiply(lookup(inverse).tanh().exp()));
  })(),
  causal: traced((score, { q, k, where }) => where(k.lessEqual(q), score, -Infinity)),
  /** Pairs of one document, of three in each of two sequences. */
  documents: (() => {
    const document = ids([0, 0, 1, 1, 1, 1, 2, 2, 2, 0, 1, 1, 1, 1, 1, 1, 1, 2], [2, 9]);
    return traced((score, { b, q, k, lookup, where }) =>
      where(lookup(document, b, q).equal(lookup(document, b, k)), score, -Infinity),
    );
  })(),
  /** Learned, one rate a head, by the square root of the distance. */
  decay: (() => {
    const rate = table([4], 33);
    return traced((score, { h, q, k, lookup }) =>
      score.subtract(lookup(rate, h).tanh().exp().multiply(0.25).multiply(q.subtract(k).absolute().add(1).sqrt())),
    );
  })(),
  position: (() => {
    const bias = table([3, 2], 34);
    return traced((_, { b, h, lookup }) => lookup(bias, b, h));
  })(),
  keys: (() => {
    const [keys, again] = [table([40], 35), table([40], 36)];
    return traced((score, { k, lookup }) => score.multiply(lookup(keys, k).tanh()).add(lookup(again, k)));
  })(),
  everything: (() => {
    const [weight, near] = [table([4, 3], 37), table([8], 38)];
    return traced((score, { b, h, q, k, lookup, where }) => {
      const distance = q.subtract(k);
      const band = distance.absolute().divide(7).floor().clamp(0, 2);
      const gain = lookup(weight, h, band).multiply(0.5).exp().minimum(3).maximum(0.3);
      const bent = where(score.less(0.5).or(distance.equal(3)), score.multiply(gain), score.negate().divide(gain));
      const smooth = bent
        .multiply(bent)
        .add(1)
        .log()
        .subtract(lookup(near, k.modulo(8)).absolute());
      return where(distance.modulo(5).notEqual(2).or(b.greater(0)), smooth, -Infinity);
    });
  })(),
} as const;

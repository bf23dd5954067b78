/**
 * Names of attention mechanisms, such as `window:256`, and what they mean in a plan: a mask compiled to blocks, or the
 * state of linear attention. Next: operations.ts.
 */

import { type BlockMap, compileMask, emptyBlock } from '../../attention/blockMap.js';
import { bigBird } from '../../attention/blockSparse.js';
import { and, causal, type Mask, open, slidingWindow } from '../../attention/mask.js';
import { dilated, strided } from '../../attention/patternMasks.js';
import { reachBack } from '../../attention/reach.js';
import { UsageError } from '../../core/errors.js';
import type { CheckedPlan } from './plan.js';

/** What a mechanism comes to at the sizes of a plan, for one layer and one sequence. */
export interface Mechanism {
  readonly name: string;
  /** Whether keys and values are summed into a state of D·(D + 1) numbers a head instead of weighed one by one. */
  readonly linear: boolean;
  /** Pairs of query and key that may attend, over all heads. */
  readonly pairs: number;
  /** Pairs of the blocks that the kernel computes: those and the rest of their blocks. */
  readonly computedPairs: number;
  /** Bytes of the map of blocks where the mask is not a window. */
  readonly mapBytes: number;
  /** Whether a token sees later ones; no use for text that is written. */
  readonly looksAhead: boolean;
  /** Positions back through one layer and through all; see `reachBack`. */
  readonly reach: { readonly oneLayer: number; readonly allLayers: number };
}

type Sizes = readonly number[];
type MakeMask = (sizes: Sizes, bidirectional: boolean) => Mask;

/** Words of a name, with how many numbers follow them, and the mask. `undefined` is linear attention. */
const masks: Readonly<Record<string, { readonly numbers: number; readonly make?: MakeMask }>> = {
  full: { numbers: 0, make: () => open },
  causal: { numbers: 0, make: () => causal() },
  window: { numbers: 1, make: ([w = 0], both) => slidingWindow({ left: w, right: both ? w : 0 }) },
  dilated: { numbers: 2, make: ([step = 1, w = 0], both) => dilated({ step, left: w, right: both ? w : 0 }) },
  strided: { numbers: 1, make: ([stride = 1]) => strided({ stride }) },
  bigbird: { numbers: 0, make: (_, both) => (both ? bigBird() : and(causal(), bigBird())) },
  linear: { numbers: 0 },
};

/** How mechanisms are written. */
export const mechanismNames = 'full, causal, window:W, dilated:STEP:W, strided:STRIDE, bigbird, linear';

/** Errors: UsageError for a name that is none of `mechanismNames`. */
export function findMechanism(name: string, plan: CheckedPlan): Mechanism {
  const [word = '', ...texts] = name.split(':');
  const found = Object.hasOwn(masks, word) ? masks[word] : undefined;
  const sizes = texts.map(Number);
  if (!found || sizes.length !== found.numbers || texts.some((text) => !/^\d+$/.test(text)))
    throw new UsageError(`estimate: expected a mechanism like ${mechanismNames}, got ${name}`);
  const mask = found.make?.(sizes, plan.bidirectional);
  return mask ? withMask(name, mask, plan) : linear(name, plan);
}

function withMask(name: string, mask: Mask, { heads: H, length: L, layers }: CheckedPlan): Mechanism {
  const map = compileMask(mask, { H, L });
  const reaches = reachBack(map, { L, layers });
  return {
    name,
    linear: false,
    pairs: Math.round(map.densityRatio * L * L) * H,
    computedPairs: computedPairs(map, L) * (H / map.shape[1]),
    mapBytes: mask.predicate ? 4 * map.codes.length + map.patterns.length : 0,
    looksAhead: mask.right > 0,
    reach: { oneLayer: reaches[0] ?? 0, allLayers: reaches.at(-1) ?? 0 },
  };
}

/** Pairs of all blocks that are not empty, as far as they lie inside L × L. */
function computedPairs({ shape: [, , rows, columns], block: [R, C], codes }: BlockMap, L: number): number {
  return codes.reduce((sum, code, at) => {
    if (code === emptyBlock) return sum;
    const [row, column] = [Math.floor(at / columns) % rows, at % columns];
    return sum + Math.min(R, L - row * R) * Math.min(C, L - column * C);
  }, 0);
}

/** Everything before is in the state, blurred as it may be. */
function linear(name: string, { length, bidirectional }: CheckedPlan): Mechanism {
  const reach = { oneLayer: length - 1, allLayers: length - 1 };
  return { name, linear: true, pairs: 0, computedPairs: 0, mapBytes: 0, looksAhead: bidirectional, reach };
}

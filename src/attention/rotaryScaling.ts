/** How fast each pair of channels turns, and how that is slowed down for texts longer than those of training. */

import { ShapeError } from '../core/errors.js';

/**
 * `linear`: positions divided by `factor` (Chen et al. 2023). `ntk`: a larger base, so that slow pairs slow down by `factor`
 * and fast ones hardly (bloc97 2023). `yarn`: slow pairs by `factor`, fast ones not, a ramp between (Peng et al. 2023, §3).
 */
export type RotaryScaling =
  | { readonly kind: 'linear' | 'ntk'; readonly factor: number }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      /** Length the model was trained on. */
      readonly trainedLength: number;
      /** Turns over that length from which a pair stays as it is, and up to which it slows down fully. Defaults 32 and 1. */
      readonly fastTurns?: number;
      readonly slowTurns?: number;
      /** Factor of cos and sin; default `0.1·ln(factor) + 1`, the paper's temperature. */
      readonly magnitude?: number;
    };

export interface RotaryFrequencies {
  /** Radians a position, by pair [width/2]. */
  readonly frequencies: readonly number[];
  /** What cos and sin are multiplied by. */
  readonly magnitude: number;
}

/** `base^(-2c/width)` for every pair c, scaled. */
export function rotaryFrequencies(width: number, base: number, scaling?: RotaryScaling): RotaryFrequencies {
  if (!(base > 1)) throw new ShapeError(`rotaryFrequencies: expected a base above 1, got ${base}`);
  if (scaling && !(scaling.factor >= 1 && Number.isFinite(scaling.factor)))
    throw new ShapeError(`rotaryFrequencies: expected a factor >= 1, got ${scaling.factor}`);
  switch (scaling?.kind) {
    case undefined:
      return { frequencies: powers(width, base), magnitude: 1 };
    case 'linear':
      return { frequencies: powers(width, base).map((turn) => turn / scaling.factor), magnitude: 1 };
    case 'ntk': {
      if (width < 4) throw new ShapeError(`rotaryFrequencies: expected a width of at least 4 for ntk, got ${width}`);
      return { frequencies: powers(width, base * scaling.factor ** (width / (width - 2))), magnitude: 1 };
    }
    case 'yarn':
      return yarn(width, base, scaling);
  }
}

function powers(width: number, base: number): readonly number[] {
  return Array.from({ length: width / 2 }, (_, pair) => base ** ((-2 * pair) / width));
}

function yarn(width: number, base: number, scaling: RotaryScaling & { readonly kind: 'yarn' }): RotaryFrequencies {
  const { factor, trainedLength, fastTurns = 32, slowTurns = 1 } = scaling;
  if (!(trainedLength > 0 && fastTurns > slowTurns && slowTurns > 0))
    throw new ShapeError(
      `rotaryFrequencies: expected trainedLength > 0 and fastTurns > slowTurns > 0, got ${trainedLength}, ${fastTurns}, ${slowTurns}`,
    );
  /** Pair that makes this many turns over the trained length. */
  const pairOf = (turns: number): number =>
    (width * Math.log(trainedLength / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const low = Math.max(0, Math.floor(pairOf(fastTurns)));
  const high = Math.min(width - 1, Math.ceil(pairOf(slowTurns)));
  const span = high === low ? 0.001 : high - low; // as the authors' code
  const frequencies = powers(width, base).map((turn, pair) => {
    const slowed = Math.min(1, Math.max(0, (pair - low) / span));
    return (turn / factor) * slowed + turn * (1 - slowed);
  });
  return { frequencies, magnitude: scaling.magnitude ?? 0.1 * Math.log(factor) + 1 };
}

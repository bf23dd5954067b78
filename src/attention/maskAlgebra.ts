/**
 * `or` and `not` of masks, and any mask as one predicate. Two windows give a window again; everything else becomes a
 * predicate, whose windows and lengths still know whole blocks. Next: blockMap.ts.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Mask, open } from './mask.js';
import {
  type BlockKind,
  type BoundPredicate,
  both,
  byDistance,
  either,
  opposite,
  type Predicate,
} from './maskPredicate.js';

/** Allowed where at least one mask allows; without a mask nothing is. */
export function or(...masks: readonly Mask[]): Mask {
  const [first, ...others] = masks;
  return first === undefined ? not(open) : others.reduce(unite, first);
}

/** Allowed where the mask forbids. */
export function not(mask: Mask): Mask {
  return { ...open, predicate: opposite(predicateOf(mask)) };
}

/** Both windows hold the query's own position, so their union is a window. */
function unite(a: Mask, b: Mask): Mask {
  if (isWindow(a) && isWindow(b)) return { left: Math.max(a.left, b.left), right: Math.max(a.right, b.right) };
  return { ...open, predicate: either(predicateOf(a), predicateOf(b)) };
}

function isWindow({ lengths, allowed, predicate }: Mask): boolean {
  return lengths === undefined && allowed === undefined && predicate === undefined;
}

/** The whole mask as one question about a pair. */
export function predicateOf(mask: Mask): Predicate {
  const { left, right, lengths, allowed, predicate } = mask;
  const parts = [
    ...(left < Infinity || right < Infinity ? [windowPredicate(mask)] : []),
    ...(lengths ? [lengthsPredicate(lengths)] : []),
    ...(allowed ? [tensorPredicate(allowed)] : []),
    ...(predicate ? [predicate] : []),
  ];
  return parts.length === 0 ? windowPredicate(open) : parts.reduce(both);
}

/** Keys with a distance in [-right, left]. */
export function windowPredicate({ left, right }: Pick<Mask, 'left' | 'right'>): Predicate {
  return byDistance(
    (d) => d <= left && d >= -right,
    (least, most) => (least > left || most < -right ? 'empty' : least >= -right && most <= left ? 'full' : 'partial'),
  );
}

/** Keys before `lengths[b]`. */
export function lengthsPredicate(lengths: readonly number[], caller = 'keyPadding'): Predicate {
  return {
    perBatch: true,
    perHead: false,
    bind({ B }) {
      if (lengths.length !== B)
        throw new ShapeError(
          `${caller}: expected lengths [B] = [${B}], got [${lengths.length}]; they are of another batch`,
        );
      return {
        allows: (b, _h, _q, k) => k < (lengths[b] as number),
        classify: (b, _h, _rows, { start, end }) => kindOf((lengths[b] as number) - start, end - start),
      };
    },
  };
}

/** The kind of a block of which `count` of `of` rows or keys, counted from its start, are allowed. */
export function kindOf(count: number, of: number): BlockKind {
  return count <= 0 ? 'empty' : count >= of ? 'full' : 'partial';
}

function tensorPredicate(allowed: Tensor): Predicate {
  const shape = [1, 1, 1, 1, ...allowed.shape].slice(-4) as [number, number, number, number];
  return {
    perBatch: shape[0] > 1,
    perHead: shape[1] > 1,
    bind({ B, H, L, S, offset }) {
      const wanted = [B, H, L, S];
      if (allowed.shape.length > 4 || shape.some((size, axis) => size !== 1 && size !== wanted[axis]))
        throw new ShapeError(
          `booleanMask: expected a tensor broadcastable to [B, H, L, S] = ${formatShape(wanted)}, got ${formatShape(allowed.shape)}`,
        );
      return tensorReader(allowed.toArray(), shape, offset);
    },
  };
}

function tensorReader(values: ArrayLike<number>, shape: readonly number[], offset: number): BoundPredicate {
  const [, H = 1, L = 1, S = 1] = shape;
  const [stepB = 0, stepH = 0, stepL = 0, stepS = 0] = [H * L * S, L * S, S, 1].map((step, axis) =>
    shape[axis] === 1 ? 0 : step,
  );
  return {
    allows: (b, h, q, k) => values[b * stepB + h * stepH + (q - offset) * stepL + k * stepS] !== 0,
    classify: () => 'partial',
  };
}

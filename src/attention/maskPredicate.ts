/**
 * A mask that is more than a window: a question about a pair of positions, which may know the answer for a whole block at
 * once. `and`, `or` and `not` of such questions. Not the mask itself: mask.ts; how one becomes blocks: blockMap.ts.
 */

/** Half-open range of positions. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a mask allows in a block of pairs: nothing, some, everything. */
export type BlockKind = 'empty' | 'partial' | 'full';

/** Letters of the call that a mask is made for. */
export interface MaskSizes {
  readonly B: number;
  readonly H: number;
  readonly L: number;
  readonly S: number;
  /** Position of the first query on the key axis: the past length with a cache. */
  readonly offset: number;
}

/** A predicate made for one call. `q` and the rows are positions on the key axis: query i stands at `i + offset`. */
export interface BoundPredicate {
  allows(b: number, h: number, q: number, k: number): boolean;
  /** The kind of a block of at least one pair; `partial` also where only asking every pair can tell. */
  classify(b: number, h: number, rows: Span, keys: Span): BlockKind;
}

export interface Predicate {
  /** Whether the answer depends on the sequence, and on the head. */
  readonly perBatch: boolean;
  readonly perHead: boolean;
  /** Whether the answer depends on nothing but q - k. */
  readonly byDistance?: boolean;
  /** Checks the sizes and gets ready. Errors: ShapeError for sizes that the mask was not made for. */
  bind(sizes: MaskSizes): BoundPredicate;
}

/** Allowed where both allow. */
export function both(a: Predicate, b: Predicate): Predicate {
  return joined(a, b, 'full', 'empty', (x, y) => (b, h, q, k) => x.allows(b, h, q, k) && y.allows(b, h, q, k));
}

/** Allowed where one of them allows. */
export function either(a: Predicate, b: Predicate): Predicate {
  return joined(a, b, 'empty', 'full', (x, y) => (b, h, q, k) => x.allows(b, h, q, k) || y.allows(b, h, q, k));
}

/** Allowed where it does not allow. */
export function opposite(of: Predicate): Predicate {
  const turned = { empty: 'full', partial: 'partial', full: 'empty' } as const;
  return {
    ...of,
    bind(sizes) {
      const bound = of.bind(sizes);
      return {
        allows: (b, h, q, k) => !bound.allows(b, h, q, k),
        classify: (...block) => turned[bound.classify(...block)],
      };
    },
  };
}

/**
 * A mask that looks only at the distance d = q - k, positive for keys before the query. `classify` gets the smallest and
 * the largest distance in a block; all between occur.
 */
export function byDistance(
  allows: (d: number) => boolean,
  classify: (least: number, most: number) => BlockKind,
): Predicate {
  const bound: BoundPredicate = {
    allows: (_b, _h, q, k) => allows(q - k),
    classify: (_b, _h, rows, keys) => classify(rows.start - (keys.end - 1), rows.end - 1 - keys.start),
  };
  return { perBatch: false, perHead: false, byDistance: true, bind: () => bound };
}

/** `neutral` leaves the other's kind as it is; `decisive` settles the block. */
function joined(
  a: Predicate,
  b: Predicate,
  neutral: BlockKind,
  decisive: BlockKind,
  join: (x: BoundPredicate, y: BoundPredicate) => BoundPredicate['allows'],
): Predicate {
  return {
    perBatch: a.perBatch || b.perBatch,
    perHead: a.perHead || b.perHead,
    byDistance: (a.byDistance && b.byDistance) ?? false,
    bind(sizes) {
      const [x, y] = [a.bind(sizes), b.bind(sizes)];
      return {
        allows: join(x, y),
        classify: (...block) => {
          const first = x.classify(...block);
          if (first === decisive) return decisive;
          const second = y.classify(...block);
          if (second === decisive || first === neutral) return second;
          return second === neutral ? first : 'partial';
        },
      };
    },
  };
}

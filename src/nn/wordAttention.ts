/**
 * Word-level attention, as it was before self-attention: one distribution over the words of a sentence, one vector out.
 * The query is learned (which words matter?) or given with every call (which words matter for this?). For one
 * distribution per word see selfAttention.ts. Next: ../attention/pooling.ts.
 */

import type { Lengths } from '../attention/pooling.js';
import { weighSequence } from '../attention/pooling.js';
import { ShapeError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';
import { formatShape } from '../core/shape.js';
import { add, tanh } from '../tensor/elementwise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand, unsqueeze } from '../tensor/views.js';
import type { Context } from './context.js';
import { normalParameter } from './initialise.js';
import { Linear } from './linear.js';
import { Module } from './module.js';

export interface WordAttentionInputs {
  readonly lengths?: Lengths;
  /** [B, queryWidth], for a layer that was built with `queryWidth`. */
  readonly query?: Tensor | undefined;
}

/** What the softmax is taken of: `query·key_j`. */
interface Scored {
  /** [B, D] */
  readonly query: Tensor;
  /** [B, L, D] */
  readonly keys: Tensor;
}

/**
 * `out = Σ_j p_j·x_j`, `p = softmax_j(score(query, x_j))`; the subclasses differ in the score.
 *
 * Shapes: x [B, L, E] → [B, E]. Capture sees one head with one query.
 */
export abstract class WordAttention extends Module {
  forward(x: Tensor, context: Context, { lengths, query }: WordAttentionInputs = {}): Tensor {
    return scope(() => {
      const scored = this.score(x, query);
      const { out, record } = weighSequence(scored.query, scored.keys, x, {
        lengths,
        record: context.captures?.wants(this),
      });
      if (record) context.captures?.take(this, 'cross', record);
      return out; // [B, E]
    });
  }

  protected abstract score(x: Tensor, query: Tensor | undefined): Scored;
}

export interface AdditiveAttentionOptions {
  /** Width E of the words. */
  readonly width: number;
  /** Width of the hidden layer. Default E. */
  readonly hidden?: number;
  /** Width of a query that is given with every call. Left out: nothing is given, the layer learns what to look for. */
  readonly queryWidth?: number;
}

/**
 * `score(q, x_j) = v·tanh(W·x_j + U·q + b)`; without a given query, `v·tanh(W·x_j + b)`.
 *
 * Source: Bahdanau et al. 2015, appendix A.1.2; without a query, Yang et al. 2016 (hierarchical attention), eq. 5 and 6.
 */
export class AdditiveAttention extends WordAttention {
  readonly key: Linear;
  readonly query: Linear | undefined;
  readonly weight: Tensor;

  constructor({ width, hidden = width, queryWidth }: AdditiveAttentionOptions, random: RandomStream) {
    super();
    this.key = new Linear(width, hidden, random);
    this.query = queryWidth === undefined ? undefined : new Linear(queryWidth, hidden, random, { bias: false });
    this.weight = normalParameter([hidden], 1 / Math.sqrt(hidden), random);
  }

  protected override score(x: Tensor, query: Tensor | undefined): Scored {
    checkQuery(x, query, this.query?.weight.shape[1]);
    const words = this.key.forward(x); // [B, L, hidden]
    const both = query && this.query ? add(words, unsqueeze(this.query.forward(query), 1)) : words;
    return { query: repeated(this.weight, x), keys: tanh(both) };
  }
}

export interface DotAttentionOptions {
  /** Width E of the words. */
  readonly width: number;
  /** `dot`: q·x_j. `general`: q·W·x_j. */
  readonly form: 'dot' | 'general';
  /** Width of a query that is given with every call; for `dot` it must be E. Left out: the query is a parameter. */
  readonly queryWidth?: number;
}

/**
 * `score(q, x_j) = q·x_j` (dot) or `q·W·x_j` (general).
 *
 * Errors: ShapeError for a dot product of different widths. Source: Luong et al. 2015, eq. 8.
 */
export class DotAttention extends WordAttention {
  readonly key: Linear | undefined;
  readonly query: Tensor | undefined;
  readonly #queryWidth: number | undefined;

  constructor({ width, form, queryWidth }: DotAttentionOptions, random: RandomStream) {
    super();
    if (form === 'dot' && (queryWidth ?? width) !== width)
      throw new ShapeError(
        `DotAttention: expected queryWidth = width = ${width}, got ${queryWidth}; use the form general`,
      );
    const wanted = queryWidth ?? width;
    this.key = form === 'general' ? new Linear(width, wanted, random, { bias: false }) : undefined;
    this.query = queryWidth === undefined ? normalParameter([width], 1 / Math.sqrt(width), random) : undefined;
    this.#queryWidth = queryWidth;
  }

  protected override score(x: Tensor, query: Tensor | undefined): Scored {
    checkQuery(x, query, this.#queryWidth);
    return { query: query ?? repeated(this.query as Tensor, x), keys: this.key?.forward(x) ?? x };
  }
}

/** [D] → [B, D] */
function repeated(vector: Tensor, { shape }: Tensor): Tensor {
  return expand(unsqueeze(vector, 0), [shape[0] as number, vector.size]);
}

function checkQuery(x: Tensor, query: Tensor | undefined, width: number | undefined): void {
  const expected = width === undefined ? undefined : [x.shape[0] as number, width];
  if (query?.shape.join() === expected?.join()) return;
  const [wanted, got] = [expected, query?.shape].map((shape) => (shape ? formatShape(shape) : 'none'));
  throw new ShapeError(
    `WordAttention: expected a query [B, queryWidth] = ${wanted}, got ${got}; queryWidth is set when the layer is built`,
  );
}

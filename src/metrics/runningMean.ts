/** Means of long series in constant memory, and what follows from a mean loss. */

/** A weighted mean, summed with Neumaier's compensation so that its error does not grow with the number of values. */
export class RunningMean {
  #sum = 0;
  #compensation = 0;
  #weight = 0;

  /** Adds a value that stands for `weight` observations, such as a batch's mean loss for its tokens. */
  add(value: number, weight = 1): void {
    const term = value * weight;
    const sum = this.#sum + term;
    this.#compensation += Math.abs(this.#sum) >= Math.abs(term) ? this.#sum - sum + term : term - sum + this.#sum;
    this.#sum = sum;
    this.#weight += weight;
  }

  /** Sum of the weights. */
  get weight(): number {
    return this.#weight;
  }

  /** NaN before anything of positive weight was added. */
  get value(): number {
    // An infinite sum leaves NaN in the compensation.
    const sum = Number.isFinite(this.#sum) ? this.#sum + this.#compensation : this.#sum;
    return sum / this.#weight;
  }
}

/** Perplexity e^H of a mean cross-entropy H in nats per token: the number of equally likely choices that lose as much. */
export function perplexity(meanLossNats: number): number {
  return Math.exp(meanLossNats);
}

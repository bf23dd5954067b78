/** Time spent on updates, and turns for the event loop. Nothing here decides what is computed. */

/** Measures updates; evaluations and checkpoints do not count. */
export class Clock {
  #total = { milliseconds: 0, tokens: 0, steps: 0 };
  #interval = { milliseconds: 0, tokens: 0 };
  #lastTurn = performance.now();

  /** Runs an update and counts it. */
  time<Result extends { readonly tokens: number }>(update: () => Result): Result {
    const start = performance.now();
    const result = update();
    const milliseconds = performance.now() - start;
    for (const sums of [this.#total, this.#interval]) {
      sums.milliseconds += milliseconds;
      sums.tokens += result.tokens;
    }
    this.#total.steps += 1;
    return result;
  }

  get tokensPerSecond(): number {
    return (1000 * this.#total.tokens) / Math.max(this.#total.milliseconds, 1e-3);
  }

  get millisecondsPerStep(): number {
    return this.#total.milliseconds / Math.max(this.#total.steps, 1);
  }

  /** Tokens a second since the last call. */
  takeRate(): number {
    const { tokens, milliseconds } = this.#interval;
    this.#interval = { milliseconds: 0, tokens: 0 };
    return (1000 * tokens) / Math.max(milliseconds, 1e-3);
  }

  turnIsDue(afterMs: number): boolean {
    return performance.now() - this.#lastTurn >= afterMs;
  }

  /** Lets timers and signals run. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#lastTurn = performance.now();
  }
}

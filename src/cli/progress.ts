/**
 * Progress of training: one moving bar on a terminal; elsewhere plain lines, a few a minute, so that a log stays short.
 */

import { SingleBar } from 'cli-progress';
import type { Progress } from '../train/options.js';

/** Shows where training stands. `line` prints above the bar without tearing it. */
export interface ProgressView {
  update(progress: Progress): void;
  line(text: string): void;
  stop(): void;
}

/** Milliseconds between two plain lines. */
const lineEveryMs = 10_000;

export function progressView(stream: NodeJS.WriteStream): ProgressView {
  return stream.isTTY ? barView(stream) : lineView(stream);
}

function barView(stream: NodeJS.WriteStream): ProgressView {
  const bar = new SingleBar({
    stream,
    format: '{bar} {percentage} %  step {value}/{total}  {text}',
    barCompleteChar: '━',
    barIncompleteChar: '─',
    hideCursor: true,
    barsize: 24,
    fps: 8,
  });
  const stop = (): void => {
    if (bar.isActive) bar.stop();
  };
  return {
    update: (progress) => {
      if (!bar.isActive) bar.start(progress.totalSteps, progress.step, { text: '' });
      bar.update(progress.step, { text: describe(progress) });
    },
    line: (text) => {
      stop(); // the next update starts a new bar below
      stream.write(`${text}\n`);
    },
    stop,
  };
}

function lineView(stream: NodeJS.WriteStream): ProgressView {
  let last = performance.now();
  return {
    update: (progress) => {
      if (performance.now() - last < lineEveryMs) return;
      last = performance.now();
      stream.write(`step ${progress.step}/${progress.totalSteps}  ${describe(progress)}\n`);
    },
    line: (text) => void stream.write(`${text}\n`),
    stop: () => {},
  };
}

function describe({ loss, rate, tokensPerSecond, secondsLeft }: Progress): string {
  return [
    `loss ${loss.toFixed(3)}`,
    `rate ${rate.toExponential(1)}`,
    `${Math.round(tokensPerSecond)} tokens/s`,
    `${clockText(secondsLeft)} left`,
  ].join('  ');
}

/** Minutes and seconds, such as 2:05. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

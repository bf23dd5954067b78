/**
 * The plots of stories: what happens, what is asked, and sentences about others that may stand anywhere without changing
 * the answer. How a plot becomes a story: stories.ts.
 */

import type { RandomStream } from '../core/random.js';

/** What one story is about. */
export interface Plot {
  /** The sentences that the answer needs, in an order that must be kept. */
  readonly needed: readonly string[];
  readonly question: string;
  readonly answer: string;
  /** A sentence that leaves the answer as it is; `begun` says that the first needed sentence has been told. */
  readonly distract: (begun: boolean) => string;
}

const people = ['mary', 'john', 'daniel', 'sandra', 'bill', 'julie'] as const;
const places = ['kitchen', 'garden', 'office', 'bathroom', 'hallway', 'bedroom'] as const;
const things = ['apple', 'milk', 'football', 'book'] as const;
const animals = ['wolf', 'sheep', 'mouse', 'cat'] as const;
const kinds = ['swan', 'frog', 'lion', 'rhino'] as const;
const colours = ['white', 'green', 'yellow', 'gray'] as const;
const names = ['gertrude', 'winona', 'jessica', 'emily', 'lily', 'greg', 'bernhard', 'julius', 'brian'] as const;

const moves = (person: string, place: string): string => `${person} went to the ${place} .`;
const takes = (person: string, thing: string): string => `${person} took the ${thing} .`;

function without(list: readonly string[], member: string | undefined): readonly string[] {
  return list.filter((other) => other !== member);
}

/** Draws from lists without putting anything back. */
class Draw {
  readonly #random: RandomStream;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  /** `count` different members. */
  some(list: readonly string[], count: number): string[] {
    return this.#random.shuffle([...list]).slice(0, count);
  }

  one(list: readonly string[]): string {
    return list[this.#random.integer(list.length)] as string;
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.#random.uniform() < probability;
  }
}

/** People other than the hero walk about and take other things; before the story begins, the hero walks too. */
function bystanders(draw: Draw, hero: string, thing?: string): Plot['distract'] {
  const others = without(people, hero);
  const free = without(things, thing);
  return (begun) => {
    if (!begun && draw.chance(0.3)) return moves(hero, draw.one(places));
    const person = draw.one(others);
    return draw.chance(0.3) ? takes(person, draw.one(free)) : moves(person, draw.one(places));
  };
}

/** Kind 1: where somebody went last. */
function whereIsSomebody(random: RandomStream): Plot {
  const draw = new Draw(random);
  const [hero, place] = [draw.one(people), draw.one(places)];
  return {
    needed: [moves(hero, place)],
    question: `where is ${hero} ?`,
    answer: place,
    distract: bystanders(draw, hero),
  };
}

/** Kind 2: a thing is where its carrier is, who may have come before taking it or gone there after. */
function whereIsSomething(random: RandomStream): Plot {
  const draw = new Draw(random);
  const [hero, place, thing] = [draw.one(people), draw.one(places), draw.one(things)];
  const needed = [takes(hero, thing), moves(hero, place)];
  return {
    needed: draw.chance(0.5) ? needed : needed.reverse(),
    question: `where is the ${thing} ?`,
    answer: place,
    distract: bystanders(draw, hero, thing),
  };
}

/** Kind 3: where a thing was before: its carrier went there, and then on to the place that is asked about. */
function whereWasSomething(random: RandomStream): Plot {
  const draw = new Draw(random);
  const [hero, thing] = [draw.one(people), draw.one(things)];
  const [first, second] = draw.some(places, 2) as [string, string];
  const came = moves(hero, first);
  const took = takes(hero, thing);
  const begin = draw.chance(0.5) ? [came, took] : [took, came];
  const rest = bystanders(draw, hero, thing);
  return {
    needed: [...begin, moves(hero, second)],
    question: `where was the ${thing} before the ${second} ?`,
    answer: first,
    distract: rest,
  };
}

/** Kind 15: what a kind of animal fears, its members fear. */
function whatSomebodyFears(random: RandomStream): Plot {
  const draw = new Draw(random);
  const [species, other] = draw.some(animals, 2) as [string, string];
  const feared = new Map(animals.map((animal) => [animal as string, draw.one(without(animals, animal))]));
  const fears = (animal: string): string => feared.get(animal) as string;
  const [hero = '', ...rest] = draw.some(names, 4);
  const needed = [`${species} fear ${fears(species)} .`, `${hero} is a ${species} .`];
  const others = without(animals, species);
  return {
    needed: draw.chance(0.5) ? needed : needed.reverse(),
    question: `what does ${hero} fear ?`,
    answer: fears(species),
    distract: () => {
      if (draw.chance(0.5)) return `${draw.one(rest)} is a ${draw.chance(0.5) ? other : draw.one(animals)} .`;
      const animal = draw.one(others);
      return `${animal} fear ${fears(animal)} .`;
    },
  };
}

/** Kind 16: somebody of the same kind has a colour, so the one asked about has it too. */
function whatColour(random: RandomStream): Plot {
  const draw = new Draw(random);
  const species = draw.one(kinds);
  const shades = new Map(kinds.map((kind) => [kind as string, draw.one(colours)]));
  const shade = (kind: string): string => shades.get(kind) as string;
  const [hero = '', model = '', ...rest] = draw.some(names, 6);
  const others = without(kinds, species);
  const isOf = new Map(rest.map((name) => [name, draw.one(others)]));
  return {
    needed: random.shuffle([
      `${model} is a ${species} .`,
      `${model} is ${shade(species)} .`,
      `${hero} is a ${species} .`,
    ]),
    question: `what color is ${hero} ?`,
    answer: shade(species),
    distract: () => {
      const name = draw.one(rest);
      const kind = isOf.get(name) as string;
      return draw.chance(0.5) ? `${name} is a ${kind} .` : `${name} is ${shade(kind)} .`;
    },
  };
}

export const plots = {
  1: whereIsSomebody,
  2: whereIsSomething,
  3: whereWasSomething,
  15: whatSomebodyFears,
  16: whatColour,
} as const satisfies Readonly<Record<number, (random: RandomStream) => Plot>>;

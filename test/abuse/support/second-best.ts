/**
 * The second-shortest of several times. Other load of the machine can only lengthen a time, so a
 * real fault lengthens every one.
 */
export const secondBest = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[1] ?? Number.NaN;

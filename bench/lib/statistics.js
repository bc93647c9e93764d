export function median(values) {
  return quantile(values, 0.5);
}

/** The quantile, interpolated between the nearest ranks. */
export function quantile(values, share) {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).toSorted();
  const rank = share * (sorted.length - 1);
  const below = sorted[Math.floor(rank)];
  return below + (sorted[Math.ceil(rank)] - below) * (rank % 1);
}

/** The means of these figures of several parts. */
export function meansOf(parts, figures) {
  const mean = (figure) => parts.reduce((total, part) => total + part[figure], 0) / parts.length;
  return Object.fromEntries(figures.map((figure) => [figure, mean(figure)]));
}

/**
 * Half the range of the values, relative to the median. Of seven or more, without the smallest and
 * the largest, so that one disturbed round does not decide: of seven, that range is the 87.5 %
 * confidence interval of the median (by its order statistics, 1 - 16/128).
 */
export function spread(values) {
  const sorted = Float64Array.from(values).toSorted();
  const kept = sorted.length < 7 ? sorted : sorted.subarray(1, -1);
  return ((kept.at(-1) ?? 0) - (kept[0] ?? 0)) / 2 / median(values);
}

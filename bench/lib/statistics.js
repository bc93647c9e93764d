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

/** The mean of one figure of several parts. */
export function meanOf(parts, figure) {
  return parts.reduce((total, part) => total + part[figure], 0) / parts.length;
}

/** Half the range of the values, relative to the median. */
export function spread(values) {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values);
}

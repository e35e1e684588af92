/** Snapping: a corner that is tapped close to one that is there already is meant to be the same. */

/** No farther than this on the screen, in CSS pixels. */
export const SNAP_PX = 14
/** A place on the screen, in CSS pixels. */
export interface Spot {
  x: number
  y: number
}

/** The one of `places` ([lon, lat]) that lies nearest to a spot of the screen; undefined: none is near enough. */
export function nearestPlace<T extends readonly number[]>(here: Spot, places: readonly T[], spotOf: (place: T) => Spot): T | undefined {
  let best: T | undefined
  let best_px = SNAP_PX
  for (const place of places) {
    const there = spotOf(place)
    const off_px = Math.hypot(there.x - here.x, there.y - here.y)
    if (off_px < best_px) [best, best_px] = [place, off_px]
  }
  return best
}

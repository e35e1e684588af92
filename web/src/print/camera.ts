/** Where a map of another shape must look so that all of a view is on it. */
import type { Place } from '../geo/place'

/** So long a sheet waits for all of its map, which a busy machine draws slowly; whoever waits may close the box. */
export const DRAWN_LIMIT_MS = 60_000
const WORLD_PX = 512
const mercator = (lat_deg: number) => Math.log(Math.tan(Math.PI / 4 + (lat_deg * Math.PI) / 360))

/** The middle of west, south, east, north (degrees) and the zoom at which all of it fits into so many CSS pixels. */
export function cameraOf(
  [west, south, east, north]: [number, number, number, number],
  { width, height }: { width: number; height: number },
): { place: Place; zoom: number } {
  const [top, low] = [mercator(north), mercator(south)]
  const across = Math.max((east - west) / 360, 1e-6)
  const down = Math.max((top - low) / (2 * Math.PI), 1e-6)
  const zoom = Math.log2(Math.min(width / across, height / down) / WORLD_PX)
  const lat_deg = (2 * Math.atan(Math.exp((top + low) / 2)) - Math.PI / 2) * (180 / Math.PI)
  return { place: { lat_deg, lon_deg: (west + east) / 2 }, zoom: Math.max(0, Math.min(17, zoom)) }
}

/**
 * How far something may be from where it was last reported: doubt grows with the time since then.
 *
 * A table of staff planning figures, not of what an engine can do: how fast the kind goes when
 * nobody sees it. Who reports a greater speed than the table is believed.
 */
import type { Feature, FeatureCollection, Polygon } from 'geojson'
import type { TrackMeta } from '../api/types'
import type { TrackStore } from '../store/tracks'

export type Mover = 'walker' | 'vehicle' | 'ship' | 'aircraft' | 'still'

export const MOVER_SPEED_MPS: Record<Mover, number> = {
  walker: 1.4,
  vehicle: 14,
  ship: 10,
  aircraft: 220,
  still: 0,
}
/** A circle beyond this says "nobody knows" and hides the map: it is not drawn. */
export const DOUBT_LIMIT_M = 200_000

/** The two digits of an APP-6(D) code that name the dimension: air, space, land unit, sea ... */
const BY_DIMENSION: Record<string, Mover> = {
  '01': 'aircraft',
  '02': 'aircraft',
  '05': 'still',
  '06': 'still',
  '10': 'walker',
  '15': 'vehicle',
  '20': 'still',
  '25': 'still',
  '27': 'walker',
  '30': 'ship',
  '35': 'ship',
  '36': 'still',
}

/** The kind of mover by its symbol code; what stays where it is has no doubt that grows. */
export function moverOf(meta: Pick<TrackMeta, 'sidc' | 'category'>): Mover {
  if (meta.category !== 'unit' && meta.category !== 'platform' && meta.category !== 'track') return 'still'
  return BY_DIMENSION[meta.sidc.slice(4, 6)] ?? 'walker'
}

/**
 * Radius in metres of where it may be at `now_ms`; null when there is nothing to draw: not a mover,
 * no time of report, or beyond DOUBT_LIMIT_M. `error_m` is the reported circular error, null if unknown.
 */
export function doubtRadius(
  mover: Mover,
  observed_ms: number,
  now_ms: number,
  speed_mps: number | null = null,
  error_m: number | null = null,
): number | null {
  if (mover === 'still' || !(observed_ms > 0)) return null
  const seconds = Math.max(0, now_ms - observed_ms) / 1000
  const radius_m = (error_m ?? 0) + seconds * Math.max(MOVER_SPEED_MPS[mover], speed_mps ?? 0)
  return radius_m > DOUBT_LIMIT_M ? null : radius_m
}

/** More circles than this cover the map instead of explaining it. */
export const CIRCLES_MAX = 300
/** A circle smaller than this lies under its own symbol. */
const LEAST_PX = 18
const CORNERS = 48
const STEP = 1.05
const METRES_PER_DEG = 111_320

export interface DoubtView {
  /** West, south, east, north in degrees; west is never greater than east. */
  bounds: [number, number, number, number]
  width_px: number
}

function circle(lat_deg: number, lon_deg: number, radius_m: number): Polygon {
  const north_deg = radius_m / METRES_PER_DEG
  const east_deg = north_deg / Math.max(0.01, Math.cos((lat_deg * Math.PI) / 180))
  const ring: [number, number][] = []
  for (let i = 0; i <= CORNERS; i++) {
    const turn = ((i % CORNERS) / CORNERS) * 2 * Math.PI
    ring.push([lon_deg + east_deg * Math.sin(turn), lat_deg + north_deg * Math.cos(turn)])
  }
  return { type: 'Polygon', coordinates: [ring] }
}

/** Drawn in steps of a twentieth, never too small: it grows every second, and the map would be drawn anew for it. */
function stepped(radius_m: number): number {
  return STEP ** Math.ceil(Math.log(radius_m) / Math.log(STEP))
}

/**
 * Circles for what is in view and no longer fresh, and for the selected one whatever its age; the
 * first CIRCLES_MAX by handle, the selected one always.
 */
export function doubtCircles(
  store: TrackStore,
  selected: number | null,
  view: DoubtView,
  now_ms: number,
): FeatureCollection {
  const [west, south, east, north] = view.bounds
  const features: Feature[] = []
  const add = (h: number): void => {
    const meta = store.meta[h]
    const motion = store.motion(h)
    if (!meta || !motion) return
    const radius_m = doubtRadius(moverOf(meta), store.observed_ms[h], now_ms, motion.speed_mps)
    if (radius_m === null) return
    const east_m = METRES_PER_DEG * Math.cos((motion.lat_deg * Math.PI) / 180)
    const radius_px = (radius_m / east_m / Math.max(1e-9, east - west)) * view.width_px
    if (radius_px < LEAST_PX) return
    const geometry = circle(motion.lat_deg, motion.lon_deg, stepped(radius_m))
    const properties = { affiliation: meta.affiliation, selected: h === selected }
    features.push({ type: 'Feature', geometry, properties })
  }
  if (selected !== null) add(selected)
  for (let h = 0; h < store.size && features.length < CIRCLES_MAX; h++) {
    // Most are fresh: the cheapest question first.
    if (store.isFresh(h, now_ms) || h === selected || !store.placed[h]) continue
    const lat = store.lat_deg[h]
    if (lat < south || lat > north) continue
    // Bounds may lie on another copy of the world.
    const turn = (((store.lon_deg[h] - west) % 360) + 360) % 360
    if (turn > east - west) continue
    add(h)
  }
  return { type: 'FeatureCollection', features }
}

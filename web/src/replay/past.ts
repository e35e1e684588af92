/** A picture of the past: rows of the node become tracks; moments become links and come back from them. */
import type { EntityRow } from '../api.generated'
import type { Entry, TrackMeta } from '../api/types'
import { NO_ALTITUDE, NO_VALUE, type PositionFrame } from '../stream/frame'
import type { TrackStore } from '../store/tracks'
import { isoTime } from '../time/dtg'

/** What is shown instead of the present. */
export interface Past {
  at_ms: number
  rows: ReadonlyMap<string, EntityRow>
  /** Lines of the journal that had happened by then, from old to new. */
  entries: Entry[]
}
export type Box = [west_deg: number, south_deg: number, east_deg: number, north_deg: number]
export interface Moment {
  at_ms: number
  bbox: Box | null
}

export const SPEEDS = [0.1, 0.5, 1, 2, 5, 10, 60, 300, 1000] as const
export const MINUTE_MS = 60_000

/** The fixed attributes of a row under a handle; a row without an end ages as one that is believed till its report. */
export function metaOf(row: EntityRow, h: number): TrackMeta {
  const observed_at_ms = Date.parse(row.observed_at)
  return {
    h,
    id: row.id,
    name: row.name,
    sidc: row.sidc,
    type: row.type,
    source: row.source ?? '',
    observed_at_ms,
    stale_at_ms: row.stale_at === null ? observed_at_ms : Date.parse(row.stale_at),
    affiliation: row.affiliation,
    category: row.category,
    emergency: row.emergency,
    geometry: row.geometry as TrackMeta['geometry'],
    ...(row.category === 'drawing' || row.category === 'marker' ? { drawn: row.fields } : {}),
    ...(row.aliases[0]?.scheme === 'fused' ? { members: row.fields.members?.split(' ') ?? [] } : {}),
  }
}

function number(value: number | null | undefined, scale: number, limit: number, none: number): number {
  return value === null || value === undefined ? none : Math.max(-limit, Math.min(limit, Math.round(value * scale)))
}

/** Where the rows are, as the live stream would say it; rows without a place are left out. */
export function positionsOf(rows: readonly EntityRow[], handleOf: (id: string) => number): PositionFrame {
  const placed = rows.filter((row) => row.position !== null)
  const count = placed.length
  const frame = {
    kind: 1 as const,
    mask: 0b111111,
    sequence: 0,
    count,
    base_time_ms: 0,
    handle: new Uint32Array(count),
    lat_e7: new Int32Array(count),
    lon_e7: new Int32Array(count),
    alt_m: new Int16Array(count),
    speed_dmps: new Uint16Array(count),
    course_cdeg: new Uint16Array(count),
    // The rows say when each was seen, exactly.
    age_ds: null,
  }
  placed.forEach((row, i) => {
    frame.handle[i] = handleOf(row.id)
    frame.lat_e7[i] = Math.round(row.position!.lat_deg * 1e7)
    frame.lon_e7[i] = Math.round(row.position!.lon_deg * 1e7)
    frame.alt_m[i] = number(row.position!.hae_m, 1, 32_767, NO_ALTITUDE)
    frame.speed_dmps[i] = number(row.motion?.speed_mps, 10, NO_VALUE - 1, NO_VALUE)
    frame.course_cdeg[i] = number(row.motion?.course_deg, 100, 36_000, NO_VALUE)
  })
  return frame
}

/** Fills a store with the rows and nothing else. An entity keeps its handle from one moment to the next. */
export function fill(store: TrackStore, rows: readonly EntityRow[], handles: Map<string, number>): void {
  const handleOf = (id: string): number => {
    const known = handles.get(id)
    if (known !== undefined) return known
    handles.set(id, handles.size)
    return handles.size - 1
  }
  store.clear()
  store.applyMetas(rows.map((row) => metaOf(row, handleOf(row.id))))
  store.applyPositions(positionsOf(rows, handleOf))
}

/** What had been written by a time, of what is known now. */
export function entriesUntil(entries: readonly Entry[], at_ms: number): Entry[] {
  return entries.filter((entry) => entry.happened_at_ms <= at_ms)
}

/** The part behind `#` that opens this moment: `at=2026-11-25T14:10:00Z&bbox=76.1,42.5,78,43.2`. */
export function momentText({ at_ms, bbox }: Moment): string {
  const at = new Date(at_ms).toISOString().replace('.000Z', 'Z')
  return bbox === null ? `at=${at}` : `at=${at}&bbox=${bbox.map((one) => Number(one.toFixed(4))).join(',')}`
}

/** The moment in a link's `#...`; null where it names none. A bad box is left out, the time still counts. */
export function momentOf(hash: string): Moment | null {
  const words = new URLSearchParams(hash.replace(/^#/, ''))
  const at_ms = isoTime(words.get('at') ?? '')
  if (at_ms === null || at_ms < 0) return null
  const sides = (words.get('bbox') ?? '').split(',').map(Number)
  const [west, south, east, north] = sides
  const good = sides.length === 4 && sides.every(Number.isFinite) && west < east && south < north && Math.abs(south) <= 85.1 && Math.abs(north) <= 85.1
  return { at_ms, bbox: good ? [west, south, east, north] : null }
}

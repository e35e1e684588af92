/**
 * Where every track is, in typed columns indexed by handle.
 *
 * Plain arrays on purpose: at 10,000 moves a second a reactive proxy would cost more than the
 * drawing. The page reads it on its own beat and asks `version` and `meta_version` what changed.
 */
import type { TrackMeta } from '../api/types'
import { mercatorX, quickMercatorY, writeSplit } from '../map/mercator'
import { NO_ALTITUDE, NO_VALUE, type PositionFrame } from '../stream/frame'
import { AGEING_AFTER_MS, ageState, freshFor, isStill, type AgeState } from '../time/age'

/** A handle beyond this is a broken frame: the columns would not fit a laptop's memory. */
export const HANDLE_LIMIT = 4_000_000

export interface TrackMotion {
  lat_deg: number
  lon_deg: number
  alt_m: number | null
  speed_mps: number | null
  course_deg: number | null
}

export class TrackStore {
  /** One more than the greatest handle seen. */
  size = 0
  /** Grows with every position, removal or snapshot. */
  version = 0
  /** Grows with every name, symbol, removal or snapshot. */
  meta_version = 0

  lat_deg = new Float64Array(256)
  lon_deg = new Float64Array(256)
  alt_m = new Int16Array(256)
  speed_dmps = new Uint16Array(256)
  course_cdeg = new Uint16Array(256)
  /** NaN until a position or a meta said when. */
  observed_ms = new Float64Array(256)
  /** Mercator (x hi, y hi, x lo, y lo), ready for the graphics card. */
  mercator = new Float32Array(256 * 4)
  /** 1 where there is a position. */
  placed = new Uint8Array(256)
  /** How long the last reporter asked to be believed, 0 when it did not say. */
  valid_ms = new Float64Array(256)
  /** 1 for markers, drawings and places, which do not age before their stale time. */
  still = new Uint8Array(256)
  /** How long a report of this one is fresh, so that 100,000 ages are 100,000 comparisons. */
  fresh_for_ms = new Float64Array(256).fill(AGEING_AFTER_MS)

  readonly meta: (TrackMeta | undefined)[] = []
  private readonly handles = new Map<string, number>()
  /** Members of fused tracks -> handle of the track, so that nobody need look through all tracks for one. */
  private readonly tracks_of = new Map<string, number>()

  private reserve(size: number): void {
    if (size > this.size) this.size = size
    if (size <= this.placed.length) return
    const capacity = Math.max(size, this.placed.length * 2)
    const grow = <T extends { set(from: T): void }>(old: T, fresh: T): T => {
      fresh.set(old)
      return fresh
    }
    this.lat_deg = grow(this.lat_deg, new Float64Array(capacity))
    this.lon_deg = grow(this.lon_deg, new Float64Array(capacity))
    this.alt_m = grow(this.alt_m, new Int16Array(capacity))
    this.speed_dmps = grow(this.speed_dmps, new Uint16Array(capacity))
    this.course_cdeg = grow(this.course_cdeg, new Uint16Array(capacity))
    this.observed_ms = grow(this.observed_ms, new Float64Array(capacity))
    this.mercator = grow(this.mercator, new Float32Array(capacity * 4))
    this.placed = grow(this.placed, new Uint8Array(capacity))
    this.valid_ms = grow(this.valid_ms, new Float64Array(capacity))
    this.still = grow(this.still, new Uint8Array(capacity))
    this.fresh_for_ms = grow(this.fresh_for_ms, new Float64Array(capacity).fill(AGEING_AFTER_MS))
  }

  /** Takes a position frame; answers how many of its handles were out of bounds and dropped. */
  applyPositions(frame: PositionFrame): number {
    const { handle, lat_e7, lon_e7, alt_m, speed_dmps, course_cdeg, age_ds } = frame
    let dropped = 0
    let top = 0
    for (let i = 0; i < frame.count; i++) if (handle[i] < HANDLE_LIMIT && handle[i] >= top) top = handle[i] + 1
    this.reserve(top)
    // Taken out of `this` once: the loop runs 100,000 times a second.
    const { observed_ms, lat_deg, lon_deg, mercator, placed } = this
    const base_ms = frame.base_time_ms
    for (let i = 0; i < frame.count; i++) {
      const h = handle[i]
      if (h >= HANDLE_LIMIT) {
        dropped++
        continue
      }
      if (lat_e7 && lon_e7) {
        const lat = lat_e7[i] / 1e7
        const lon = lon_e7[i] / 1e7
        if (lat < -90 || lat > 90 || lon < -180 || lon > 180) {
          dropped++
          continue
        }
        lat_deg[h] = lat
        lon_deg[h] = lon
        writeSplit(mercator, h * 4, mercatorX(lon), quickMercatorY(lat))
        this.alt_m[h] = alt_m ? alt_m[i] : NO_ALTITUDE
        this.speed_dmps[h] = speed_dmps ? speed_dmps[i] : NO_VALUE
        this.course_cdeg[h] = course_cdeg ? course_cdeg[i] : NO_VALUE
        placed[h] = 1
      }
      if (age_ds) {
        // 65535 = older than the field can say: what meta said stays, at best the field's end.
        const told = base_ms - age_ds[i] * 100
        if (age_ds[i] !== NO_VALUE) observed_ms[h] = told
        else if (!(observed_ms[h] > 0) || observed_ms[h] > told) observed_ms[h] = Math.min(this.meta[h]?.observed_at_ms ?? told, told)
      }
    }
    this.version++
    return dropped
  }

  applyMetas(metas: TrackMeta[]): void {
    for (const meta of metas) {
      const h = meta.h
      if (!Number.isInteger(h) || h < 0 || h >= HANDLE_LIMIT) continue
      this.reserve(h + 1)
      const old = this.meta[h]
      if (old?.members || meta.members) this.replaceMembers(h, old?.members, meta.members)
      if (old && old.id !== meta.id) {
        // A handle used again for another entity starts empty.
        this.handles.delete(old.id)
        this.placed[h] = 0
        this.observed_ms[h] = 0
      }
      this.meta[h] = meta
      this.handles.set(meta.id, h)
      this.valid_ms[h] = Math.max(0, meta.stale_at_ms - meta.observed_at_ms) || 0
      this.still[h] = isStill(meta.category) ? 1 : 0
      this.fresh_for_ms[h] = freshFor(this.valid_ms[h], this.still[h] === 1)
      if (!(this.observed_ms[h] >= meta.observed_at_ms)) this.observed_ms[h] = meta.observed_at_ms
    }
    this.meta_version++
    this.version++
  }

  private replaceMembers(h: number, before: readonly string[] = [], now: readonly string[] = []): void {
    for (const id of before) if (this.tracks_of.get(id) === h) this.tracks_of.delete(id)
    for (const id of now) this.tracks_of.set(id, h)
  }

  remove(handles: Uint32Array): void {
    for (const h of handles) {
      const meta = this.meta[h]
      if (meta) this.handles.delete(meta.id)
      if (meta?.members) this.replaceMembers(h, meta.members)
      this.meta[h] = undefined
      if (h < this.placed.length) {
        this.placed[h] = 0
        this.observed_ms[h] = 0
      }
    }
    this.meta_version++
    this.version++
  }

  clear(): void {
    this.placed.fill(0)
    this.observed_ms.fill(0)
    this.meta.length = 0
    this.handles.clear()
    this.tracks_of.clear()
    this.size = 0
    this.meta_version++
    this.version++
  }

  /** Trades contents with another store: whoever holds either sees the other's tracks from now on. */
  exchange(other: TrackStore): void {
    const mine = { ...this }
    Object.assign(this, other)
    Object.assign(other, mine)
    this.version = other.version = Math.max(this.version, other.version) + 1
    this.meta_version = other.meta_version = Math.max(this.meta_version, other.meta_version) + 1
  }

  handleOf(id: string): number | null {
    return this.handles.get(id) ?? null
  }

  /** The fused track that stands for this entity on the map; null: the entity stands for itself. A track that is stale stands for nobody. */
  trackOf(id: string, now_ms: number): number | null {
    const h = this.tracks_of.get(id)
    return h === undefined || this.meta[h]?.id === id || this.age(h, now_ms) === 'stale' ? null : h
  }

  /** Is anything fused? */
  hasFused(): boolean {
    return this.tracks_of.size > 0
  }

  /** The caller of an alert that is on the map itself, so that the alert needs no name of its own. */
  callerOf(h: number): number | null {
    const caller = this.meta[h]?.caller
    const found = caller ? this.handleOf(caller) : null
    return found !== null && this.placed[found] ? found : null
  }

  /** The same as the age being `fresh`, for loops over all. */
  isFresh(h: number, now_ms: number): boolean {
    const observed_ms = this.observed_ms[h]
    return observed_ms > 0 && now_ms - observed_ms <= this.fresh_for_ms[h]
  }

  age(h: number, now_ms: number): AgeState {
    return ageState(this.observed_ms[h], this.valid_ms[h], this.still[h] === 1, now_ms)
  }

  motion(h: number): TrackMotion | null {
    if (!this.placed[h]) return null
    const alt = this.alt_m[h]
    const speed = this.speed_dmps[h]
    const course = this.course_cdeg[h]
    return {
      lat_deg: this.lat_deg[h],
      lon_deg: this.lon_deg[h],
      alt_m: alt === NO_ALTITUDE ? null : alt,
      speed_mps: speed === NO_VALUE ? null : speed / 10,
      course_deg: course === NO_VALUE ? null : course / 100,
    }
  }

  /** West, south, east, north of all placed tracks that have a name, or of those that count; null when there is none. */
  bounds(counts: (h: number) => boolean = () => true): [number, number, number, number] | null {
    let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
    for (let h = 0; h < this.size; h++) {
      if (!this.placed[h] || !this.meta[h] || !counts(h)) continue
      west = Math.min(west, this.lon_deg[h])
      east = Math.max(east, this.lon_deg[h])
      south = Math.min(south, this.lat_deg[h])
      north = Math.max(north, this.lat_deg[h])
    }
    return west <= east ? [west, south, east, north] : null
  }
}

/** Where the selected entity came from: kept positions of the last hour, up to the time that is shown. */
import type { FeatureCollection } from 'geojson'
import { onScopeDispose, watch } from 'vue'
import type { TrackRow } from '../api.generated'
import { ApiError, call } from '../api/client'
import type { Desk } from '../store/desk'

export const TRAIL_MS = 3_600_000
const AGAIN_MS = 10_000
const POINTS = 2000
/** A dot for every so many ms of the trail. */
const CRUMB_MS = 300_000

type Fix = Pick<TrackRow, 'at_ms' | 'lat_deg' | 'lon_deg'>

/** Places in order of time, longitude first. Longitudes run on across 180 degrees. */
export function lineOf(fixes: readonly Fix[]): [number, number][] {
  const places: [number, number][] = []
  for (const { lon_deg, lat_deg } of [...fixes].sort((a, b) => a.at_ms - b.at_ms)) {
    const last = places[places.length - 1]
    places.push([last ? lon_deg + Math.round((last[0] - lon_deg) / 360) * 360 : lon_deg, lat_deg])
  }
  return places
}

/** A line of what is called so, and a dot every five minutes. */
export function trailOf(fixes: readonly Fix[], name: string): FeatureCollection {
  const features: FeatureCollection['features'] = []
  const ordered = [...fixes].sort((a, b) => a.at_ms - b.at_ms)
  if (ordered.length < 2) return { type: 'FeatureCollection', features }
  const places = lineOf(ordered)
  features.push({ type: 'Feature', properties: { name, span_min: TRAIL_MS / 60_000 }, geometry: { type: 'LineString', coordinates: places } })
  let crumb = Math.floor(ordered[0].at_ms / CRUMB_MS)
  ordered.forEach(({ at_ms }, i) => {
    if (Math.floor(at_ms / CRUMB_MS) === crumb) return
    crumb = Math.floor(at_ms / CRUMB_MS)
    features.push({ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: places[i] } })
  })
  return { type: 'FeatureCollection', features }
}

/** Keeps the trail of what is selected; `show` draws it. */
export function useTrail(desk: Desk, show: (trail: FeatureCollection) => void): void {
  let asked_ms = -Infinity
  let turn = 0

  async function read(): Promise<void> {
    asked_ms = performance.now()
    const mine = ++turn
    const id = desk.selected.value
    let fixes: Fix[] = []
    if (id !== null && desk.tracks.handleOf(id) !== null) {
      const until_ms = Math.round(desk.clock.now_ms())
      const words = new URLSearchParams({ entity: id, from_ms: `${until_ms - TRAIL_MS}`, until_ms: `${until_ms}`, limit: `${POINTS}` })
      try {
        fixes = await call<TrackRow[]>('GET', `/tracks?${words}`)
      } catch (error) {
        // A trail is an extra: without the node there is none.
        if (!(error instanceof ApiError)) throw error
      }
    }
    const h = id === null ? null : desk.tracks.handleOf(id)
    if (mine === turn) show(trailOf(fixes, (h !== null && desk.tracks.meta[h]?.name) || ''))
  }
  watch([desk.selected, desk.past], ([id], [before]) => {
    if (id !== before) show(trailOf([], ''))
    void read()
  })
  const timer = setInterval(() => {
    if (desk.selected.value !== null && performance.now() - asked_ms > AGAIN_MS) void read()
  }, AGAIN_MS / 4)
  onScopeDispose(() => clearInterval(timer))
}

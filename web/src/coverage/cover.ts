/**
 * Brings the two layers onto the map: asks the node when the view, the moment or the wishes change, paints, and lays
 * the pictures under the names. Loaded when one of them is first wanted.
 */
import { onScopeDispose, watch, type Ref, type ShallowRef } from 'vue'
import { ApiError, call } from '../api/client'
import type { CoverageGrid, ShadowGrid } from '../api.generated'
import type { MapAdapter } from '../map/port'
import type { Theme } from '../shell/theme'
import type { Desk } from '../store/desk'
import { canvasOf, fromBase64, looksPixels, markPlaces, shadowPixels } from './paint'
import { beam, hours, looks, looks_fault, no_radars, origin, reach, shadow, shadow_fault, showsLooks, too_wide } from './state'

const AGAIN_MS = 60_000
/** After the last move of the map or the slider. */
const REST_MS = 250
const WIDTH_MAX_M = 1_000_000
const DEGREE_M = 111_195
/** So much more than the view is asked for on every side, so that a small move asks nothing. */
const MARGIN = 0.25

type Box = [west: number, south: number, east: number, north: number]

/** What is asked for to fill a view: with a margin, on this world's copy; null: too wide to be answered. */
export function boxFor([west, south, east, north]: Box): Box | null {
  const [across, up] = [(east - west) * MARGIN, (north - south) * MARGIN]
  const turn = 360 * Math.round((west + east) / 720)
  const box: Box = [Math.max(-180, west - turn - across), Math.max(-84.9, south - up), east - turn + across, Math.min(84.9, north + up)]
  const wide_m = (box[2] - box[0]) * DEGREE_M * Math.cos(((box[1] + box[3]) / 2) * (Math.PI / 180))
  return Math.max(wide_m, (box[3] - box[1]) * DEGREE_M) > WIDTH_MAX_M ? null : box
}

/** Is a view inside a box, and not much smaller? */
export function fills(box: Box, view: Box): boolean {
  const turn = 360 * Math.round((view[0] + view[2] - box[0] - box[2]) / 720)
  const inside = view[0] - turn >= box[0] && view[2] - turn <= box[2] && view[1] >= box[1] && view[3] <= box[3]
  return inside && (box[2] - box[0]) / (view[2] - view[0]) < 4
}

const round = (box: Box) => box.map((value) => value.toFixed(5)).join(',')
const cornersOf = (grid: { west: number; south: number; east: number; north: number }): Box => [grid.west, grid.south, grid.east, grid.north]

async function ask<T>(path: string, fault: Ref<ApiError | null>, desk: Desk): Promise<T | null> {
  try {
    const answer = await call<T>('GET', path)
    fault.value = null
    return answer
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401) desk.login_needed.value = true
    // Nothing there to answer with is no fault.
    fault.value = error.status === 404 ? null : error
    return null
  }
}

export function useCover(desk: Desk, map: ShallowRef<MapAdapter | null>, theme: Ref<Theme>, view: ShallowRef<Box | null>): void {
  let asked: Box | null = null
  let turn = 0
  let rest: ReturnType<typeof setTimeout> | undefined

  async function readLooks(): Promise<void> {
    const seen = view.value ?? map.value?.bounds()
    if (!showsLooks.value || !seen || document.visibilityState === 'hidden') return
    const box = boxFor(seen)
    too_wide.value = box === null
    asked = box
    const mine = ++turn
    if (!box) return void (looks.value = null)
    const { ground, drone, air, sea, radar } = reach.value
    const past = desk.past.value
    const wish = { bbox: round(box), ground_m: ground, drone_m: drone, air_m: air, sea_m: sea, radar_m: radar, ...(past ? { at_ms: past.at_ms } : {}) }
    const answer = await ask<CoverageGrid>(`/coverage?${new URLSearchParams(Object.entries(wish).map(([key, value]) => [key, String(value)]))}`, looks_fault, desk)
    // A slow answer to an older question must not overwrite a newer one.
    if (mine === turn && showsLooks.value) looks.value = answer
  }
  function soon(): void {
    clearTimeout(rest)
    rest = setTimeout(() => void readLooks(), REST_MS)
  }
  const timer = setInterval(() => void (desk.past.value ?? readLooks()), AGAIN_MS)
  onScopeDispose(() => {
    clearInterval(timer)
    clearTimeout(rest)
  })
  watch(view, (seen) => {
    if (!asked || !seen || !fills(asked, seen)) soon()
  })
  watch([() => desk.past.value?.at_ms, reach], soon, { deep: true })
  watch([showsLooks, map], () => {
    if (showsLooks.value) return void readLooks()
    turn++
    looks.value = null
    too_wide.value = false
    looks_fault.value = null
  }, { immediate: true })
  watch([looks, hours, theme, map], () => {
    const grid = looks.value
    map.value?.setCover('looks', grid && { canvas: canvasOf(looksPixels(fromBase64(grid.ages), grid.cols, hours.value, theme.value), grid.cols), box: cornersOf(grid) })
  }, { immediate: true })

  let cast = 0
  async function readShadow(): Promise<void> {
    const from = origin.value
    const mine = ++cast
    shadow_fault.value = null
    no_radars.value = false
    if (!from) return void (shadow.value = null)
    const { height_m, range_m, heights, over } = beam.value
    const wish = new URLSearchParams({ height_m: String(height_m), range_m: String(range_m), heights, over })
    if (!from.radars) {
      wish.set('lat_deg', from.lat_deg.toFixed(5))
      wish.set('lon_deg', from.lon_deg.toFixed(5))
    }
    const answer = await ask<ShadowGrid>(`/${from.radars ? 'radar-shadow' : 'shadow'}?${wish}`, shadow_fault, desk)
    if (mine !== cast) return
    shadow.value = answer
    no_radars.value = from.radars === true && !answer && !shadow_fault.value
  }
  let changed: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(changed))
  watch(origin, () => void readShadow(), { immediate: true })
  watch(beam, () => {
    clearTimeout(changed)
    changed = setTimeout(() => void readShadow(), REST_MS)
  }, { deep: true })
  watch([shadow, theme, map], () => {
    const grid = shadow.value
    const picture = grid && canvasOf(shadowPixels(fromBase64(grid.bands), grid.cols, grid.heights_m.length, theme.value), grid.cols)
    map.value?.setCover('shadow', grid && picture && { canvas: markPlaces(picture, grid, theme.value), box: cornersOf(grid) })
  }, { immediate: true })
}

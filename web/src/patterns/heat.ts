/** The density on the map: asked for when the view, the time or the wish changes, and laid under the names. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { ApiError, call } from '../api/client'
import type { HeatGrid } from '../api.generated'
import { canvasOf, fromBase64, pixels } from '../coverage/paint'
import type { MapAdapter } from '../map/port'
import type { Theme } from '../shell/theme'
import type { Desk } from '../store/desk'

type Box = [west: number, south: number, east: number, north: number]
export const HOURS = [1, 6, 24, 168, 672] as const
const HOUR_MS = 3_600_000
const AGAIN_MS = 60_000
const REST_MS = 400
const LAT_MAX = 84.9
/** So much more than the view on every side. */
const MARGIN = 0.2
/** The faintest shade, of 1: somebody was there. */
const FAINT = 0.22
type Colour = readonly [number, number, number, number]
const COLOURS: Record<Theme, Colour> = { dark: [255, 196, 64, 190], day: [150, 40, 0, 190], night: [190, 60, 30, 150] }

export const showsHeat = ref(false)
export const hours = ref<number>(24)
/** What the node answered last; null: nothing yet. */
export const heat = shallowRef<HeatGrid | null>(null)
export const heat_fault = shallowRef<ApiError | null>(null)

export const strength = (value: number) => (value ? FAINT + ((1 - FAINT) * value) / 255 : 0)
export const heatPixels = (cells: Uint8Array, cols: number, theme: Theme) => pixels(cells, cols, () => COLOURS[theme], strength)
/** Which share of the fullest cell's time a shade stands for. */
export const shareOf = (value: number) => (value / 255) ** 2

/** What is asked for to fill a view: with a margin, within the world. */
export function boxOf([west, south, east, north]: Box): Box {
  const [across, up] = [(east - west) * MARGIN, (north - south) * MARGIN]
  return [Math.max(-180, west - across), Math.max(-LAT_MAX, south - up), Math.min(180, east + across), Math.min(LAT_MAX, north + up)]
}

export function useHeat(desk: Desk, map: ShallowRef<MapAdapter | null>, theme: Ref<Theme>, view: ShallowRef<Box | null>): void {
  let turn = 0
  let rest: ReturnType<typeof setTimeout> | undefined
  async function read(): Promise<void> {
    const mine = ++turn
    const seen = view.value ?? map.value?.bounds()
    if (!showsHeat.value || !seen || document.visibilityState === 'hidden') return
    const until_ms = Math.floor(desk.past.value?.at_ms ?? desk.now_ms.value)
    const wish = { bbox: boxOf(seen).map((value) => value.toFixed(5)).join(','), from_ms: String(until_ms - hours.value * HOUR_MS), until_ms: String(until_ms) }
    try {
      const answer = await call<HeatGrid>('GET', `/pattern-heat?${new URLSearchParams(wish)}`)
      // A slow answer to an older question must not overwrite a newer one.
      if (mine !== turn || !showsHeat.value) return
      heat.value = answer
      heat_fault.value = null
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 401) desk.login_needed.value = true
      heat_fault.value = error
    }
  }
  function soon(): void {
    clearTimeout(rest)
    rest = setTimeout(() => void read(), REST_MS)
  }
  const timer = setInterval(() => void (desk.past.value ?? read()), AGAIN_MS)
  onScopeDispose(() => {
    clearInterval(timer)
    clearTimeout(rest)
  })
  watch([view, hours, () => desk.past.value?.at_ms], soon)
  watch([showsHeat, map], () => {
    if (showsHeat.value) return void read()
    turn++
    heat.value = null
    heat_fault.value = null
  }, { immediate: true })
  watch([heat, theme, map], () => {
    const grid = heat.value
    map.value?.setCover('heat', grid && { canvas: canvasOf(heatPixels(fromBase64(grid.counts), grid.cols, theme.value), grid.cols), box: [grid.west, grid.south, grid.east, grid.north] })
  }, { immediate: true })
}

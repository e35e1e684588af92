/** What of the two layers is shown and how: where nobody has looked, and what terrain hides. Kept on this machine. */
import { ref, shallowRef, watch } from 'vue'
import type { ApiError } from '../api/client'
import type { CoverageGrid, ShadowGrid } from '../api.generated'
import type { Place } from '../map/port'

const KEY = 'aquila.coverage'
export const HOURS = [1, 2, 4, 8, 12, 24, 48] as const
export const KINDS = ['ground', 'drone', 'air', 'sea', 'radar'] as const
export type WatcherKind = (typeof KINDS)[number]
/** How far round itself each kind looks, in m; the node's own defaults. */
export const REACH: Readonly<Record<WatcherKind, number>> = { ground: 500, drone: 1000, air: 3000, sea: 5000, radar: 0 }

export interface Beam {
  height_m: number
  range_m: number
  heights: string
  over: 'ground' | 'sea'
}
/** Whose shadow: of a place (with a name, when somebody stands there), or of all radars together. */
export type Origin = (Place & { name: string; radars?: undefined }) | { radars: true }
interface Kept {
  looks: boolean
  hours: number
  reach: Record<WatcherKind, number>
  beam: Beam
}
const FIRST: Kept = { looks: false, hours: 4, reach: { ...REACH }, beam: { height_m: 10, range_m: 60_000, heights: '50,500,3000', over: 'ground' } }

/** What was kept; whatever of it is not understood is as it is at first. */
export function readKept(text: string | null): Kept {
  let said: Partial<Kept> = {}
  try {
    said = (JSON.parse(text ?? '{}') ?? {}) as Partial<Kept>
  } catch {
    // Somebody else's words under our key: begin anew.
  }
  const number = (value: unknown, first: number, most: number) => (typeof value === 'number' && value >= 0 && value <= most ? value : first)
  const reach = { ...REACH }
  for (const kind of KINDS) reach[kind] = number(said.reach?.[kind], REACH[kind], 100_000)
  const beam = said.beam ?? FIRST.beam
  return {
    looks: said.looks === true,
    hours: HOURS.find((one) => one === said.hours) ?? FIRST.hours,
    reach,
    beam: {
      height_m: number(beam.height_m, FIRST.beam.height_m, 30_000),
      range_m: Math.max(1000, number(beam.range_m, FIRST.beam.range_m, 500_000)),
      heights: typeof beam.heights === 'string' ? beam.heights : FIRST.beam.heights,
      over: beam.over === 'sea' ? 'sea' : 'ground',
    },
  }
}

const kept = readKept(localStorage.getItem(KEY))
export const showsLooks = ref(kept.looks)
export const hours = ref(kept.hours)
export const reach = ref(kept.reach)
export const beam = ref(kept.beam)
/** Of the shadow that is shown; null: none is. */
export const origin = shallowRef<Origin | null>(null)
/** What the node answered last; null: nothing yet. */
export const looks = shallowRef<CoverageGrid | null>(null)
export const shadow = shallowRef<ShadowGrid | null>(null)
/** The view is too wide for looks. */
export const too_wide = ref(false)
/** Why there is no answer, in the node's words. */
export const looks_fault = shallowRef<ApiError | null>(null)
export const shadow_fault = shallowRef<ApiError | null>(null)
/** All radars were asked for, and there is none that the asker may see. */
export const no_radars = ref(false)

watch(
  [showsLooks, hours, reach, beam],
  () => localStorage.setItem(KEY, JSON.stringify({ looks: showsLooks.value, hours: hours.value, reach: reach.value, beam: beam.value })),
  { deep: true },
)

export function castRadarShadow(): void {
  origin.value = { radars: true }
}
export function castShadow(place: Place, name = ''): void {
  origin.value = { lat_deg: place.lat_deg, lon_deg: place.lon_deg, name }
}

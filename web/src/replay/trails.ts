/** Where all that is seen came from: kept positions of the last minutes or hours, of what the filter lets through. */
import type { FeatureCollection } from 'geojson'
import { onScopeDispose, ref, watch, type ShallowRef } from 'vue'
import type { TrackRow } from '../api.generated'
import { ApiError, call } from '../api/client'
import { isDrawn } from '../map/names'
import type { Shell } from '../shell/shell'
import { MINUTE_MS, type Box } from './past'
import { lineOf } from './trail'

/** How far back, in minutes; 0 = no trails. */
export const TRAIL_SPANS_MIN = [0, 10, 60, 360] as const
export const trails_min = ref<number>(0)
/** More positions than this are not drawn: the trails get shorter instead. */
export const TRAIL_POINTS = 10_000
const AGAIN_MS = 15_000

export interface Trails {
  rows: TrackRow[]
  /** How far back they go: less than was asked for where there are too many. */
  span_min: number
}

/** Kept positions of a box; the span is halved until they are few enough. Throws ApiError. */
export async function readTrails(box: Box, until_ms: number, wanted_min: number): Promise<Trails> {
  for (let span_min = wanted_min; ; span_min /= 2) {
    const words = new URLSearchParams({ bbox: box.join(','), from_ms: `${Math.round(until_ms - span_min * MINUTE_MS)}`, until_ms: `${Math.round(until_ms)}`, limit: `${TRAIL_POINTS}` })
    const rows = await call<TrackRow[]>('GET', `/tracks?${words}`)
    if (rows.length < TRAIL_POINTS || span_min < 1) return { rows, span_min }
  }
}

/** A line for each entity that is let through, with its side and how far back it goes. `sideOf` null: none is drawn. */
export function linesOf({ rows, span_min }: Trails, sideOf: (id: string) => string | null): FeatureCollection {
  const of = new Map<string, TrackRow[]>()
  for (const row of rows) {
    const fixes = of.get(row.entity)
    if (fixes) fixes.push(row)
    else of.set(row.entity, [row])
  }
  return {
    type: 'FeatureCollection',
    features: [...of].flatMap(([id, fixes]) => {
      const affiliation = sideOf(id)
      const coordinates = affiliation === null ? [] : lineOf(fixes)
      return coordinates.length < 2 ? [] : [{ type: 'Feature', properties: { affiliation, span_min }, geometry: { type: 'LineString', coordinates } }]
    }),
  }
}

/** A box as the node takes it: a map that shows the world more than once shows all of it. */
export function boxOf([west, south, east, north]: Box): Box {
  const turn = (lon_deg: number) => ((((lon_deg + 180) % 360) + 360) % 360) - 180
  return east - west >= 360 ? [-180, Math.max(-90, south), 180, Math.min(90, north)] : [turn(west), Math.max(-90, south), turn(east), Math.min(90, north)]
}

/** The side of each entity that has a trail, by id: of what the filter lets through and the map shows. */
function sidesOf({ desk, tracks }: Shell): Map<string, string> {
  const now_ms = desk.clock.now_ms()
  return new Map(tracks.shown.value.flatMap((h) => {
    const meta = desk.tracks.meta[h]
    // What a fused track stands for is drawn as that.
    return meta && !isDrawn(meta) && desk.tracks.trackOf(meta.id, now_ms) === null ? [[meta.id, meta.affiliation] as const] : []
  }))
}

/** The trails that are on, for a box that may be larger than the screen's; null: none are on, or the node is away. */
export async function trailsIn(shell: Shell, box: Box): Promise<FeatureCollection | null> {
  if (!trails_min.value) return null
  try {
    const trails = await readTrails(boxOf(box), shell.desk.clock.now_ms(), trails_min.value)
    const sides = sidesOf(shell)
    return linesOf(trails, (id) => sides.get(id) ?? null)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return null
  }
}

/** Keeps the trails of what is seen; `show` draws them. The past has those up to its moment. */
export function useTrails(shell: Shell, seen: Readonly<ShallowRef<Box | null>>, show: (trails: FeatureCollection) => void): void {
  const { desk } = shell
  let asked_ms = -Infinity
  let turn = 0
  let told_min: number | null = null
  let last: Trails = { rows: [], span_min: 0 }

  function draw(): void {
    const sides = sidesOf(shell)
    show(linesOf(last, (id) => sides.get(id) ?? null))
  }
  async function read(): Promise<void> {
    const mine = ++turn
    asked_ms = performance.now()
    const [wanted_min, box] = [trails_min.value, seen.value]
    last = { rows: [], span_min: wanted_min }
    if (!wanted_min || !box) return draw()
    try {
      const { rows, span_min } = await readTrails(boxOf(box), desk.clock.now_ms(), wanted_min)
      if (mine !== turn) return
      last = { rows, span_min }
      // Said once, not with every reading.
      if (span_min < wanted_min && told_min !== span_min) tell(shell, 'trails.shorter', { n: String(Math.max(1, Math.round(span_min))) })
      told_min = span_min
    } catch (error) {
      // Trails are an extra: without the node there are none.
      if (!(error instanceof ApiError)) throw error
    }
    if (mine === turn) draw()
  }
  watch([trails_min, seen, desk.past], () => void read())
  watch(shell.filter, draw)
  const timer = setInterval(() => {
    if (trails_min.value && performance.now() - asked_ms > AGAIN_MS) void read()
  }, AGAIN_MS / 3)
  onScopeDispose(() => clearInterval(timer))
}

/** Off, ten minutes, an hour, six hours, and off again; said, since a picture without movers shows no difference. */
export function nextTrails(shell: Shell): void {
  const at = TRAIL_SPANS_MIN.findIndex((one) => one === trails_min.value)
  trails_min.value = TRAIL_SPANS_MIN[(at + 1) % TRAIL_SPANS_MIN.length]
  tell(shell, `trails.shown${trails_min.value}`)
}

/** Only the last that is said of trails is true. */
function tell({ desk }: Shell, key: string, words: Record<string, string> = {}): void {
  for (const one of desk.notices.value) if (one.key?.startsWith('trails.')) desk.dismiss(one.id)
  desk.notify({ tone: 'ok', key, words })
}


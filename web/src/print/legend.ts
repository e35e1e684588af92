/** What a map shows: its symbols and trails, each kind once with how many there are. */
import type { Feature } from 'geojson'
import { markOf, type MarkLook } from '../draw/marks'
import { DRAWN, LOOKS } from '../map/overlays'
import { blank, markPicture } from '../map/pictures'
import type { TrackStore } from '../store/tracks'
import { symbolCanvas } from '../symbols/symbol'

export interface LegendLine {
  /** Null: a heading, for the lines below it. */
  symbol: (() => CanvasImageSource & { width: number; height: number }) | null
  /** Of a heading, what they are; of a line, what some of them are called. */
  text: string
  /** It needs no more room than its words. */
  is_low?: boolean
  /** Null: none is said. */
  count: number | null
}
export interface Kind {
  sidc: string
  /** What is drawn instead of the symbol; null: nothing else. */
  mark: MarkLook | null
  affiliation: string
  category: string
  names: string[]
  count: number
}

/** Names that one line of the legend may have. */
const NAMES = 4
const ORDER = ['alert', 'unit', 'platform', 'track', 'place', 'marker']
const SIDES = ['friend', 'hostile', 'neutral', 'unknown']

const NONE: ReadonlySet<string> = new Set()

/** The kinds of placed symbols within west, south, east, north that are not hidden (by id); those of one symbol are one kind. */
export function kindsOf(store: TrackStore, [west, south, east, north]: [number, number, number, number], hidden = NONE): Kind[] {
  const kinds = new Map<string, Kind>()
  const width = east - west
  for (let h = 0; h < store.size; h++) {
    const meta = store.meta[h]
    if (!meta || !store.placed[h] || meta.category === 'drawing' || hidden.has(meta.id)) continue
    const [lon, lat] = [store.lon_deg[h], store.lat_deg[h]]
    if (lat < south || lat > north || (((lon - west) % 360) + 360) % 360 > width) continue
    const mark = markOf(meta.drawn, meta.sidc)
    const key = `${mark ? `${mark.mark}|${mark.colour}` : meta.sidc}|${meta.affiliation}|${meta.category}`
    const kind = kinds.get(key)
    const names = meta.name ? [meta.name] : []
    if (!kind) kinds.set(key, { sidc: meta.sidc, mark, affiliation: meta.affiliation, category: meta.category, names, count: 1 })
    else {
      kind.count++
      if (kind.names.length < NAMES) kind.names.push(...names)
    }
  }
  const place = (of: readonly string[], one: string) => (of.indexOf(one) + of.length + 1) % (of.length + 1)
  return [...kinds.values()].sort(
    (a, b) => place(ORDER, a.category) - place(ORDER, b.category) || place(SIDES, a.affiliation) - place(SIDES, b.affiliation) || b.count - a.count || a.sidc.localeCompare(b.sidc),
  )
}

function symbolOf({ sidc, mark, affiliation }: Kind): CanvasImageSource & { width: number; height: number } {
  if (!mark) return symbolCanvas(sidc, affiliation, 40, 2).canvas
  return (mark.mark === 'text' ? blank(2) : markPicture(2, mark.mark, mark.colour, LOOKS.day)).canvas
}

/** The kinds as lines under what they are, in the order of `kindsOf`. */
export function symbolLines(kinds: readonly Kind[], headingOf: (kind: Kind) => string): LegendLine[] {
  return grouped(kinds, headingOf, (kind) => ({
    symbol: () => symbolOf(kind),
    text: kind.names.join(', '),
    count: kind.count,
  }))
}

/** The trails (map/port.ts) as lines under how far they go back: a line for each side, and one for that of the selection. */
export function trailLines(trails: readonly Feature[], headingOf: (span_min: number) => string, sideText: (side: string) => string): LegendLine[] {
  const kinds = new Map<string, { span_min: number; name: string | null; side: string; count: number }>()
  for (const { geometry, properties } of trails) {
    // The dots of a trail are no trails.
    if (geometry.type !== 'LineString') continue
    const { span_min, name = null, affiliation = '' } = properties as { span_min: number; name?: string; affiliation?: string }
    const key = JSON.stringify([span_min, name, affiliation])
    const kind = kinds.get(key)
    if (kind) kind.count++
    else kinds.set(key, { span_min, name, side: affiliation, count: 1 })
  }
  const ordered = [...kinds.values()].sort((a, b) => a.span_min - b.span_min || SIDES.indexOf(a.side) - SIDES.indexOf(b.side))
  return grouped(ordered, (kind) => headingOf(kind.span_min), ({ name, side, count }) => ({
    symbol: () => dash(name === null ? (DRAWN.day[side] ?? DRAWN.day.other) : LOOKS.day.accent),
    is_low: true,
    text: name ?? sideText(side),
    count: name === null ? count : null,
  }))
}

function grouped<T>(all: readonly T[], headingOf: (one: T) => string, lineOf: (one: T) => LegendLine): LegendLine[] {
  const lines: LegendLine[] = []
  let heading: string | null = null
  for (const one of all) {
    if (headingOf(one) !== heading) lines.push({ symbol: null, text: (heading = headingOf(one)), count: null })
    lines.push(lineOf(one))
  }
  return lines
}

/** A piece of a trail. */
function dash(colour: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = 72
  canvas.height = 8
  const brush = canvas.getContext('2d')!
  brush.fillStyle = colour
  brush.fillRect(0, 2, 72, 4)
  return canvas
}

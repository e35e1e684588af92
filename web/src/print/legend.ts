/** The symbols that a map shows, each kind once with how many there are. */
import type { TrackStore } from '../store/tracks'
import { symbolCanvas } from '../symbols/symbol'

export interface LegendLine {
  symbol: HTMLCanvasElement | null
  text: string
  /** What some of them are called. */
  names: string
  count: number
}
export interface Kind {
  sidc: string
  affiliation: string
  category: string
  names: string[]
  count: number
}

/** Names that one line of the legend may have. */
const NAMES = 4
const ORDER = ['alert', 'unit', 'platform', 'track', 'place', 'marker']

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
    const key = `${meta.sidc}|${meta.affiliation}|${meta.category}`
    const kind = kinds.get(key)
    const names = meta.name ? [meta.name] : []
    if (!kind) kinds.set(key, { sidc: meta.sidc, affiliation: meta.affiliation, category: meta.category, names, count: 1 })
    else {
      kind.count++
      if (kind.names.length < NAMES) kind.names.push(...names)
    }
  }
  const place = (kind: Kind) => (ORDER.indexOf(kind.category) + ORDER.length + 1) % (ORDER.length + 1)
  return [...kinds.values()].sort((a, b) => place(a) - place(b) || b.count - a.count || a.sidc.localeCompare(b.sidc))
}

/** The first `room` kinds as lines of the legend. */
export function legendLines(kinds: readonly Kind[], room: number, textOf: (kind: Kind) => string): LegendLine[] {
  return kinds.slice(0, room).map((kind) => ({
    symbol: symbolCanvas(kind.sidc, kind.affiliation, 40, 2).canvas,
    text: textOf(kind),
    names: kind.names.join(', '),
    count: kind.count,
  }))
}

/** What goes onto a sheet, and where its parts lie, in millimetres of the paper. */
import type { Feature } from 'geojson'
import { PAPER_MM, type Paper } from './paper'

export type Bounds = [west_deg: number, south_deg: number, east_deg: number, north_deg: number]

/** What a map shows, for a sheet. */
export interface Picture {
  canvas: HTMLCanvasElement
  bounds: Bounds
  /** As a map tells them (map/port.ts). */
  trails: readonly Feature[]
}

export interface Frame {
  x: number
  y: number
  width: number
  height: number
}
export interface Sheet {
  width: number
  height: number
  banner: number
  map: Frame
  legend: Frame & { columns: number }
}
export const MARGIN = 7
const BANNER = 8
const HEAD = 12
const FOOT = 9
export const TICKS = 6
/** How wide the legend is beside the map, and its columns below it. */
const LEGEND = 54
/** How high it is below the map. */
const LEGEND_BELOW = 64
/** Where the parts of the sheet lie, in millimetres: the legend beside the map, on upright paper below it. */
export function sheetOf(paper: Paper): Sheet {
  const [width, height] = PAPER_MM[paper]
  const x = MARGIN + TICKS
  const y = BANNER + HEAD + TICKS
  const is_upright = height > width
  const map_width = width - x - TICKS - MARGIN - (is_upright ? 0 : LEGEND)
  const map_height = height - y - TICKS - FOOT - BANNER - (is_upright ? LEGEND_BELOW : 0)
  return {
    width,
    height,
    banner: BANNER,
    map: { x, y, width: map_width, height: map_height },
    legend: is_upright
      ? { x, y: y + map_height + TICKS + 2, width: map_width, height: LEGEND_BELOW - 2, columns: Math.floor(map_width / LEGEND) }
      : { x: x + map_width + TICKS + 3, y, width: LEGEND - 3, height: map_height, columns: 1 },
  }
}

export interface SheetTexts {
  banner: string
  context: string
  /** Real: the context stands white on the banner; else it is darkened. */
  real: boolean
  banner_colour: string
  title: string
  /** `Situation as of ...`, or the replay line. */
  time: string
  /** True when the sheet does not show the present. */
  past: boolean
  legend: string
  /** How many lines the legend had no room for. */
  more: (n: number) => string
  notes: string[]
  foot: string
  attribution: string
  borders: string
}

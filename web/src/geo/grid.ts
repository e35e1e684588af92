/** The UTM and MGRS grid of what is seen: lines of one round distance, squares' names, and figures at the edge. */
import type { Feature, FeatureCollection } from 'geojson'
import { forward } from 'mgrs'
import { utmPlace } from './place'

export type Bounds = [west_deg: number, south_deg: number, east_deg: number, north_deg: number]

/** Distances of lines in metres; 0: only the edges of zones and bands. */
const STEPS_M = [100, 1000, 10_000, 100_000]
/** Lines stand at least so far apart. */
const LEAST_PX = 70
/** Half of the widest name of a square, `43T GH`, in CSS pixels. */
const HALF_NAME_PX = 30
/** More cells of zone and band than this are the whole world: then only their edges are drawn. */
const CELLS_MAX = 12
const BANDS = 'CDEFGHJKLMNPQRSTUVWX'
const SAMPLES = 24
const METRES_PER_DEG = 111_320

export interface Cell {
  zone: number
  band: string
  bounds: Bounds
}

/** Zone and band cells that touch the bounds, with the wider and narrower zones off Norway and Svalbard. West may lie below -180. */
export function cellsOf([west, south, east, north]: Bounds): Cell[] {
  const cells: Cell[] = []
  for (let b = 0; b < BANDS.length; b++) {
    const low = -80 + b * 8
    const high = b === BANDS.length - 1 ? 84 : low + 8
    if (high <= south || low >= north) continue
    // One more on either side: an exception may reach in.
    for (let n = Math.floor((west + 180) / 6) - 1; n <= Math.floor((east + 180) / 6) + 1; n++) {
      const zone = (((n % 60) + 60) % 60) + 1
      const edges = edgesOf(zone, BANDS[b])
      if (!edges) continue
      const shift = n * 6 - 180 - (zone * 6 - 186)
      const bounds: Bounds = [edges[0] + shift, low, edges[1] + shift, high]
      if (bounds[2] > west && bounds[0] < east) cells.push({ zone, band: BANDS[b], bounds })
    }
  }
  return cells
}

/** West and east edge of a cell; null for the three that do not exist (DMA TM 8358.1, 2-3). */
function edgesOf(zone: number, band: string): [number, number] | null {
  if (band === 'V' && zone === 31) return [0, 3]
  if (band === 'V' && zone === 32) return [3, 12]
  if (band === 'X' && zone >= 31 && zone <= 37) {
    const svalbard: Record<number, [number, number]> = { 31: [0, 9], 33: [9, 21], 35: [21, 33], 37: [33, 42] }
    return svalbard[zone] ?? null
  }
  return [zone * 6 - 186, zone * 6 - 180]
}

/** Transverse Mercator of WGS 84 to a few centimetres within a zone: enough to find which lines are in view (Snyder 1987, 8-9 to 8-13). */
export function utmOf(zone: number, lat_deg: number, lon_deg: number): { easting_m: number; northing_m: number } {
  const [a, f, k0] = [6_378_137, 1 / 298.257223563, 0.9996]
  const e2 = f * (2 - f)
  const lat = (lat_deg * Math.PI) / 180
  const ep2 = e2 / (1 - e2)
  const n = a / Math.sqrt(1 - e2 * Math.sin(lat) ** 2)
  const t = Math.tan(lat) ** 2
  const c = ep2 * Math.cos(lat) ** 2
  const x = Math.cos(lat) * ((lon_deg - (zone * 6 - 183)) * Math.PI) / 180
  const m = a * ((1 - e2 / 4 - (3 * e2 ** 2) / 64 - (5 * e2 ** 3) / 256) * lat - ((3 * e2) / 8 + (3 * e2 ** 2) / 32 + (45 * e2 ** 3) / 1024) * Math.sin(2 * lat) + ((15 * e2 ** 2) / 256 + (45 * e2 ** 3) / 1024) * Math.sin(4 * lat) - ((35 * e2 ** 3) / 3072) * Math.sin(6 * lat))
  const easting_m = k0 * n * (x + ((1 - t + c) * x ** 3) / 6 + ((5 - 18 * t + t ** 2 + 72 * c - 58 * ep2) * x ** 5) / 120) + 500_000
  const north_m = k0 * (m + n * Math.tan(lat) * (x ** 2 / 2 + ((5 - t + 9 * c + 4 * c ** 2) * x ** 4) / 24 + ((61 - 58 * t + t ** 2 + 600 * c - 330 * ep2) * x ** 6) / 720))
  return { easting_m, northing_m: lat_deg < 0 ? north_m + 10_000_000 : north_m }
}

/** Distance of lines at which they stand apart on a map of so many pixels; null: too small a scale for lines. */
export function stepOf([west, south, east, north]: Bounds, width_px: number): number | null {
  const middle = Math.cos((((south + north) / 2) * Math.PI) / 180)
  const px_per_m = width_px / Math.max(1e-9, (east - west) * METRES_PER_DEG * middle)
  return STEPS_M.find((step) => step * px_per_m >= LEAST_PX) ?? null
}

function lineOf(points: [number, number][], kind: string): Feature {
  return { type: 'Feature', properties: { kind }, geometry: { type: 'LineString', coordinates: points } }
}
function label(text: string, kind: string, lon: number, lat: number, anchor: string): Feature {
  return { type: 'Feature', properties: { kind, label: text, anchor }, geometry: { type: 'Point', coordinates: [lon, lat] } }
}

/** The parts of a sampled line within bounds; where it crosses an edge it is cut there. */
export function clip(points: [number, number][], [west, south, east, north]: Bounds): [number, number][][] {
  const inside = ([lon, lat]: [number, number]) => lon >= west && lon <= east && lat >= south && lat <= north
  const parts: [number, number][][] = []
  let part: [number, number][] = []
  points.forEach((to, i) => {
    const from = points[i - 1]
    if (from && inside(from) !== inside(to)) {
      // Halved until the cut is finer than a pixel.
      let [a, b] = inside(from) ? [from, to] : [to, from]
      for (let turn = 0; turn < 16; turn++) {
        const half: [number, number] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
        if (inside(half)) a = half
        else b = half
      }
      part.push(a)
    }
    if (inside(to)) part.push(to)
    else if (part.length) {
      parts.push(part)
      part = []
    }
  })
  if (part.length) parts.push(part)
  return parts.filter((one) => one.length > 1)
}

/** What a line is called at the edge: kilometres within its square of 100 km, with a tenth where lines are nearer. */
export function figure(metres: number, step_m: number): string {
  const km = String(Math.floor(metres / 1000) % 100).padStart(2, '0')
  return step_m < 1000 ? `${km}.${Math.round((metres % 1000) / 100)}` : km
}

/** The grid of a view; nothing beyond 80 S and 84 N, where UTM ends. */
export function gridOf(bounds: Bounds, width_px: number): FeatureCollection {
  const cells = cellsOf(bounds)
  const step_m = stepOf(bounds, width_px)
  const features: Feature[] = []
  for (const cell of cells) {
    const [w, s, e, n] = cell.bounds
    features.push(lineOf([[w, s], [w, n], [e, n]], 'zone'))
    const seen: Bounds = [Math.max(w, bounds[0]), Math.max(s, bounds[1]), Math.min(e, bounds[2]), Math.min(n, bounds[3])]
    if (step_m === null || cells.length > CELLS_MAX) features.push(label(`${cell.zone}${cell.band}`, 'square', (seen[0] + seen[2]) / 2, (seen[1] + seen[3]) / 2, 'center'))
    else features.push(...linesOf(cell, seen, step_m, bounds, width_px))
  }
  return { type: 'FeatureCollection', features }
}

function linesOf(cell: Cell, seen: Bounds, step_m: number, view: Bounds, width_px: number): Feature[] {
  const { zone } = cell
  const south = cell.band < 'N'
  const turn = cell.bounds[0] - edgesOf(zone, cell.band)![0]
  const corners = [0, 0.5, 1].flatMap((x) => [0, 0.5, 1].map((y) => utmOf(zone, seen[1] + (seen[3] - seen[1]) * y, seen[0] - turn + (seen[2] - seen[0]) * x)))
  const [e0, e1] = [Math.min(...corners.map((c) => c.easting_m)), Math.max(...corners.map((c) => c.easting_m))]
  // Northing 0 of the southern half lies at 10,000 km, so that a band on the equator does not wrap.
  const norths = corners.map((c) => (south && c.northing_m < 1 ? 10_000_000 : c.northing_m))
  const [n0, n1] = [Math.min(...norths), Math.max(...norths)]
  const at = (easting_m: number, northing_m: number): [number, number] => {
    const place = utmPlace(zone, south, easting_m, northing_m)
    return [place.lon_deg + turn, place.lat_deg]
  }
  const samples = [...Array(SAMPLES + 1).keys()].map((i) => i / SAMPLES)
  const features: Feature[] = []
  const add = (points: [number, number][], metres: number, upright: boolean): void => {
    for (const part of clip(points, seen)) {
      features.push(lineOf(part, metres % (step_m * 10) === 0 || step_m === 100_000 ? 'tenth' : 'line'))
      if (step_m === 100_000) continue
      const end = part.reduce((best, one) => ((upright ? one[1] < best[1] : one[0] < best[0]) ? one : best))
      const at_edge = upright ? end[1] - view[1] < (view[3] - view[1]) / 50 : end[0] - view[0] < (view[2] - view[0]) / 50
      if (at_edge) features.push(label(figure(metres, step_m), 'figure', end[0], end[1], upright ? 'bottom' : 'left'))
    }
  }
  for (let m = Math.ceil(e0 / step_m) * step_m; m <= e1; m += step_m) add(samples.map((t) => at(m, n0 + (n1 - n0) * t)), m, true)
  for (let m = Math.ceil(n0 / step_m) * step_m; m <= n1; m += step_m) add(samples.map((t) => at(e0 + (e1 - e0) * t, m)), m, false)
  const half_deg = ((view[2] - view[0]) / width_px) * HALF_NAME_PX
  return [...features, ...squaresOf(seen, [e0, e1, n0, n1], at).filter((one) => isWhole(one, view, half_deg))]
}

/** Is the name of a square inside the view from end to end? Beside an edge it would be cut, or lie under the line of sources. */
function isWhole({ geometry }: Feature, [west, south, east, north]: Bounds, half_deg: number): boolean {
  if (geometry.type !== 'Point') return false
  const [lon, lat] = geometry.coordinates
  // So many degrees of latitude are as many pixels (Mercator).
  const high_deg = half_deg * Math.cos((lat * Math.PI) / 180)
  return lon - half_deg >= west && lon + half_deg <= east && lat - high_deg >= south && lat + high_deg <= north
}

/** Names of the squares of 100 km, in the middle of what is seen of each. */
function squaresOf(seen: Bounds, [e0, e1, n0, n1]: [number, number, number, number], at: (easting_m: number, northing_m: number) => [number, number]): Feature[] {
  const features: Feature[] = []
  const side = 100_000
  for (let e = Math.floor(e0 / side) * side; e < e1; e += side) {
    for (let n = Math.floor(n0 / side) * side; n < n1; n += side) {
      const [lon, lat] = at((Math.max(e, e0) + Math.min(e + side, e1)) / 2, (Math.max(n, n0) + Math.min(n + side, n1)) / 2)
      if (lon < seen[0] || lon > seen[2] || lat < seen[1] || lat > seen[3]) continue
      const wrapped = ((((lon + 180) % 360) + 360) % 360) - 180
      features.push(label(forward([wrapped, lat], 1).slice(0, -2).replace(/([A-Z]{2})$/, ' $1'), 'square', lon, lat, 'center'))
    }
  }
  return features
}

/** A picture in degrees, web mercator or UTM is drawn anew with rows evenly spaced in Mercator, as the map shows pictures. */
import { utmOf } from '../geo/grid'
import { utmPlace } from '../geo/place'
import { latOfY, LATITUDE_LIMIT_DEG, lonOfX, mercatorX, mercatorY } from '../map/mercator'
import { MapFault } from './fault'
import type { Painter } from './unpack'

/** Where x and y of a picture are counted in: degrees east and north, or metres. */
export type System = { kind: 'degrees' } | { kind: 'mercator' } | { kind: 'utm'; zone: number; south: boolean }

/** x = a col + b row + c, y = d col + e row + f; col and row from the upper left corner of the upper left pixel. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

/** West, south, east, north in degrees. */
export type Box = [west: number, south: number, east: number, north: number]

/** Pixels and where each lies. */
export interface Source {
  system: System
  affine: Affine
  width_px: number
  height_px: number
}
export interface Picture {
  /** Four bytes for each pixel, row by row from the north. */
  pixels: Uint8ClampedArray<ArrayBuffer>
  width_px: number
  height_px: number
  box: Box
}

/** Half of the edge of the square of web mercator (EPSG:3857), in metres. */
const HALF_M = 20_037_508.342789244
/** The series for UTM are good only so far from the middle of the zone, and UTM itself ends at 84 N and 80 S. */
const UTM_REACH_DEG = 9
const UTM_NORTH_DEG = 85
/** Points on each edge of a picture that say how far it reaches: in UTM its edges are bent. */
const EDGE_POINTS = 32
/** Places are worked out for corners of blocks of at most so many pixels, and drawn in straight lines between. */
const BLOCK_PX = 16
/** A picture has at least so many blocks along its edge, so that bends of a small picture are followed, too. */
const BLOCKS_LEAST = 64

/** The system of an EPSG code; null: not one that is read. */
export function systemOf(epsg: number): System | null {
  if (epsg === 4326) return { kind: 'degrees' }
  if (epsg === 3857) return { kind: 'mercator' }
  const zone = epsg % 100
  const hundreds = Math.floor(epsg / 100)
  if ((hundreds !== 326 && hundreds !== 327) || zone < 1 || zone > 60) return null
  return { kind: 'utm', zone, south: hundreds === 327 }
}

function placeOf(system: System, x: number, y: number): [lon_deg: number, lat_deg: number] {
  if (system.kind === 'degrees') return [x, y]
  if (system.kind === 'mercator') return [(x / HALF_M) * 180, latOfY(0.5 - y / HALF_M / 2)]
  const place = utmPlace(system.zone, system.south, x, y)
  return [place.lon_deg, place.lat_deg]
}

function systemPlace(system: System, lon_deg: number, lat_deg: number): [x: number, y: number] {
  if (system.kind === 'degrees') return [lon_deg, lat_deg]
  if (system.kind === 'mercator') return [(lon_deg / 180) * HALF_M, (0.5 - mercatorY(lat_deg)) * 2 * HALF_M]
  const { easting_m, northing_m } = utmOf(system.zone, lat_deg, lon_deg)
  // The false northing goes with the zone's half of the world, not with the place's.
  const north_m = lat_deg < 0 ? northing_m - 10_000_000 : northing_m
  return [easting_m, system.south ? north_m + 10_000_000 : north_m]
}

/** How far a picture reaches. Throws MapFault where that is not on this earth. */
export function footprint({ system, affine, width_px, height_px }: Source): Box {
  const [a, b, c, d, e, f] = affine
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity]
  for (let i = 0; i <= EDGE_POINTS; i++) {
    const [col, row] = [(width_px * i) / EDGE_POINTS, (height_px * i) / EDGE_POINTS]
    for (const [x, y] of [[col, 0], [col, height_px], [0, row], [width_px, row]]) {
      const [lon, lat] = placeOf(system, a * x + b * y + c, d * x + e * y + f)
      if (!reaches(system, lon, lat)) throw new MapFault('outside')
      box[0] = Math.min(box[0], lon)
      box[1] = Math.min(box[1], lat)
      box[2] = Math.max(box[2], lon)
      box[3] = Math.max(box[3], lat)
    }
  }
  if (!(box[2] > box[0] && box[3] > box[1]) || box[2] - box[0] > 360.001) throw new MapFault('outside')
  if (box[1] >= LATITUDE_LIMIT_DEG || box[3] <= -LATITUDE_LIMIT_DEG) throw new MapFault('outside')
  return [box[0], Math.max(box[1], -LATITUDE_LIMIT_DEG), box[2], Math.min(box[3], LATITUDE_LIMIT_DEG)]
}

function reaches(system: System, lon_deg: number, lat_deg: number): boolean {
  // A hair beyond the edge is how many files of the whole world are written.
  if (!(Math.abs(lon_deg) <= 360.001 && Math.abs(lat_deg) <= 90.001)) return false
  if (system.kind !== 'utm') return true
  return Math.abs(lat_deg) <= UTM_NORTH_DEG && Math.abs(lon_deg - (system.zone * 6 - 183)) <= UTM_REACH_DEG
}

function inverse([a, b, c, d, e, f]: Affine): Affine {
  const det = a * e - b * d
  if (!Number.isFinite(det) || det === 0) throw new MapFault('noPlace')
  return [e / det, -b / det, (b * f - c * e) / det, -d / det, a / det, (c * d - a * f) / det]
}

/** No coarser than the source along either edge, at most `edge_px` along each: columns and rows need not be equally far apart. */
function sizeOf(source: Source, [west, south, east, north]: Box, edge_px: number): [width_px: number, height_px: number] {
  const [wide, high] = [mercatorX(east) - mercatorX(west), mercatorY(south) - mercatorY(north)]
  const step = Math.min(wide / source.width_px, high / source.height_px)
  const px = (length: number) => Math.min(edge_px, Math.max(1, Math.round(length / step)))
  return [px(wide), px(high)]
}

/**
 * The picture for the map. Each pixel takes the source's pixel that lies at its middle; where there is none it stays clear.
 *
 * Throws MapFault for a source that lies nowhere.
 */
export function warp(source: Source, paint: Painter, edge_px: number): Picture {
  const box = footprint(source)
  const [width_px, height_px] = sizeOf(source, box, edge_px)
  const pixels = new Uint8ClampedArray(width_px * height_px * 4)
  const sourceAt = sourcePlace(source, box, width_px, height_px)
  const block = Math.min(BLOCK_PX, Math.max(1, Math.floor(Math.min(width_px, height_px) / BLOCKS_LEAST)))
  for (let top = 0; top < height_px; top += block) {
    const rows = Math.min(block, height_px - top)
    for (let left = 0; left < width_px; left += block) {
      const cols = Math.min(block, width_px - left)
      const [c00, r00] = sourceAt(left, top)
      const [c10, r10] = sourceAt(left + cols, top)
      const [c01, r01] = sourceAt(left, top + rows)
      const [c11, r11] = sourceAt(left + cols, top + rows)
      for (let y = 0; y < rows; y++) {
        const v = (y + 0.5) / rows
        for (let x = 0; x < cols; x++) {
          const u = (x + 0.5) / cols
          const col = (c00 * (1 - u) + c10 * u) * (1 - v) + (c01 * (1 - u) + c11 * u) * v
          const row = (r00 * (1 - u) + r10 * u) * (1 - v) + (r01 * (1 - u) + r11 * u) * v
          if (!(col >= 0 && row >= 0 && col < source.width_px && row < source.height_px)) continue
          paint(Math.floor(row) * source.width_px + Math.floor(col), pixels, ((top + y) * width_px + left + x) * 4)
        }
      }
    }
  }
  return { pixels, width_px, height_px, box }
}

/** Column and row of the source under a point of the picture. */
function sourcePlace(source: Source, [west, south, east, north]: Box, width_px: number, height_px: number) {
  const [a, b, c, d, e, f] = inverse(source.affine)
  const [x0, y0] = [mercatorX(west), mercatorY(north)]
  const [wide, high] = [mercatorX(east) - x0, mercatorY(south) - y0]
  return (px: number, py: number): [col: number, row: number] => {
    const [x, y] = systemPlace(source.system, lonOfX(x0 + (wide * px) / width_px), latOfY(y0 + (high * py) / height_px))
    return [a * x + b * y + c, d * x + e * y + f]
  }
}
